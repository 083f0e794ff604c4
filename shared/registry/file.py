"""The registry file: YAML text in, the entries that it names out, or every violation of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import available_timezones

from shared.domain.errors import IkmError, InvalidQuestionnaire, ReversedPeriod
from shared.domain.ikm import SCHEMES
from shared.domain.questionnaire import TOTAL_WEIGHT_MAX, Questionnaire, Unsur
from shared.domain.violation import Violation
from shared.registry import readers as read
from shared.registry import strict_yaml
from shared.registry.readers import FileField
from shared.registry.snapshot import ROLLUPS, Channel, Instansi, Layanan, Opd


class RegistryError(IkmError):
    """The registry file cannot be applied; nothing was changed."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(f"{len(violations)} fault(s)")
        self.violations = tuple(violations)

    def __str__(self) -> str:
        lines = [f"  {violation.pointer}: {violation.detail}" for violation in self.violations]
        return "\n".join([super().__str__(), *lines])


@dataclass(frozen=True, slots=True)
class Document:
    """What a registry file names. What it leaves out stays as it is, unless it is pruned."""

    instansi: Instansi | None = None
    questionnaires: Mapping[str, Questionnaire] = field(default_factory=dict)
    opd: Mapping[str, Opd] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)


def parse(source: str) -> Document:
    """Read a registry file. Raises RegistryError with every violation, each with its path."""
    try:
        content, repeated = strict_yaml.load(source)
    except strict_yaml.NotYaml as error:
        raise RegistryError([Violation("file", "malformed", str(error))]) from error
    try:
        document: Document = _document(content, "")
    except read.Invalid as error:
        raise RegistryError([*repeated, *error.violations]) from error
    if repeated:
        raise RegistryError(repeated)
    return document


def _temporal(build: Callable[..., Any]) -> Callable[..., Any]:
    """Build an entry that does not end before it begins."""

    def built(**values: Any) -> object:  # noqa: ANN401 - read by the tables below
        first, last = values.get("valid_from"), values.get("valid_to")
        if first and last and last < first:
            raise ReversedPeriod(f"valid_to {last} is before valid_from {first}")
        return build(**values)

    return built


def _questionnaire(code: str, name: str, unsur: Mapping[str, Unsur]) -> Questionnaire:
    questionnaire = Questionnaire(code, name, tuple(unsur.values()))
    if questionnaire.total_weight > TOTAL_WEIGHT_MAX:
        raise InvalidQuestionnaire(
            f"the weights of {code} add up to {questionnaire.total_weight:,}, at most"
            f" {TOTAL_WEIGHT_MAX:,} is possible: divide all of them by the same number"
        )
    return questionnaire


_UNSUR_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_VALIDITY: Final = {
    "valid_from": FileField(read.day, required=False),
    "valid_to": FileField(read.day, required=False),
}

_INSTANSI: Final = {
    "code": FileField(read.code),
    "name": FileField(read.text),
    "timezone": FileField(
        read.one_of(available_timezones, "a time zone of the tz database, like Asia/Jakarta")
    ),
    "primary": FileField(
        read.one_of(lambda: ROLLUPS, f"one of {', '.join(ROLLUPS)}"), required=False
    ),
    "scheme": FileField(
        read.one_of(lambda: SCHEMES, f"one of {', '.join(SCHEMES)}"), required=False
    ),
}
_UNSUR: Final = {
    "code": FileField(read.matching(_UNSUR_CODE)),
    "key": FileField(read.code),
    "name": FileField(read.text),
    "question": FileField(read.text),
    "options": FileField(read.list_of(read.text, size=4)),
    "required": FileField(read.flag, required=False),
    "weight": FileField(read.count, required=False),
    "name_en": FileField(read.text, required=False),
    "question_en": FileField(read.text, required=False),
    "options_en": FileField(read.list_of(read.text, size=4), required=False),
}
_QUESTIONNAIRE: Final = {
    "code": FileField(read.code),
    "name": FileField(read.text),
    "unsur": FileField(read.entries(_UNSUR, Unsur, "code")),
}
_LAYANAN: Final = {
    "code": FileField(read.code),
    "name": FileField(read.text),
    "users_per_year": FileField(read.count, required=False),
    "questionnaire": FileField(read.code, required=False),
    **_VALIDITY,
}
_OPD: Final = {
    "code": FileField(read.code),
    "name": FileField(read.text),
    "official_code": FileField(read.text, required=False),
    "successor": FileField(read.code, required=False),
    "ticket_required": FileField(read.flag, required=False),
    "layanan": FileField(read.entries(_LAYANAN, _temporal(Layanan), "code"), required=False),
    **_VALIDITY,
}
_CHANNEL: Final = {
    "name": FileField(read.code),
    "kind": FileField(read.code),
    "opd": FileField(
        read.codes, required=False
    ),  # left out: all of them; an empty list is refused, it would be a guess
    "settings": FileField(read.tree, required=False),
    **_VALIDITY,
}
_document: Final = read.entry(
    {
        "instansi": FileField(read.entry(_INSTANSI, Instansi), required=False),
        "questionnaires": FileField(
            read.entries(_QUESTIONNAIRE, _questionnaire, "code"), required=False
        ),
        "opd": FileField(read.entries(_OPD, _temporal(Opd), "code"), required=False),
        "channels": FileField(read.entries(_CHANNEL, _temporal(Channel), "name"), required=False),
    },
    Document,
)
