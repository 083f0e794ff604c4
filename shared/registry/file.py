"""The registry file: YAML text in, the entries that it names out, or every fault that it has."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from zoneinfo import available_timezones

from shared.domain.errors import IkmError, ReversedPeriod
from shared.domain.ikm import SCHEMES
from shared.domain.questionnaire import Questionnaire, Unsur
from shared.registry import strict_yaml as read
from shared.registry.snapshot import ROLLUPS, Channel, Instansi, Layanan, Opd
from shared.registry.strict_yaml import Fault, Field


class RegistryError(IkmError):
    """The registry file cannot be applied; nothing was changed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Carry all the faults that were found."""
        super().__init__(f"{len(faults)} fault(s)")
        self.faults = tuple(faults)

    def __str__(self) -> str:
        """Return the message and a line for every fault."""
        return "\n".join([super().__str__(), *(f"  {f.path}: {f.detail}" for f in self.faults)])


@dataclass(frozen=True, slots=True)
class Document:
    """What a registry file names. What it leaves out is not in here, and stays as it is unless it is pruned."""

    instansi: Instansi | None = None
    questionnaires: Mapping[str, Questionnaire] = field(default_factory=dict)
    opd: Mapping[str, Opd] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)


def parse(source: str) -> Document:
    """Read a registry file. Raises RegistryError with every fault, each with its path (`opd[3].layanan[0].code`)."""
    try:
        content, faults = read.load(source)
    except read.NotYaml as error:
        raise RegistryError([Fault("file", str(error))]) from error
    document: Document | None = _document(content, "", faults)
    if faults or document is None:
        raise RegistryError(faults)
    return document


def _temporal(build: Callable[..., Any]) -> Callable[..., Any]:
    """Build an entry that does not end before it begins."""

    def built(
        *, valid_from: date | None = None, valid_to: date | None = None, **values: object
    ) -> object:
        if valid_from and valid_to and valid_to < valid_from:
            raise ReversedPeriod(f"valid_to {valid_to} is before valid_from {valid_from}")
        return build(valid_from=valid_from, valid_to=valid_to, **values)

    return built


def _questionnaire(unsur: Mapping[str, Unsur], **values: Any) -> Questionnaire:  # noqa: ANN401 - read by the table below
    return Questionnaire(unsur=tuple(unsur.values()), **values)


def _unsur(options: list[str], **values: Any) -> Unsur:  # noqa: ANN401 - read by the table below
    worst, poor, good, best = options
    return Unsur(options=(worst, poor, good, best), **values)


_UNSUR_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_VALIDITY: Final = {
    "valid_from": Field(read.day, required=False),
    "valid_to": Field(read.day, required=False),
}

_INSTANSI: Final = {
    "code": Field(read.code),
    "name": Field(read.text),
    "timezone": Field(
        read.one_of(available_timezones, "a time zone of the tz database, like Asia/Jakarta")
    ),
    "primary": Field(read.one_of(lambda: ROLLUPS, f"one of {', '.join(ROLLUPS)}"), required=False),
    "scheme": Field(read.one_of(lambda: SCHEMES, f"one of {', '.join(SCHEMES)}"), required=False),
}
_UNSUR: Final = {
    "code": Field(read.matching(_UNSUR_CODE)),
    "key": Field(read.code),
    "name": Field(read.text),
    "question": Field(read.text),
    "options": Field(read.list_of(read.text, size=4)),
    "required": Field(read.flag, required=False),
    "weight": Field(read.count, required=False),
}
_QUESTIONNAIRE: Final = {
    "code": Field(read.code),
    "name": Field(read.text),
    "unsur": Field(read.entries(_UNSUR, _unsur, "code")),
}
_LAYANAN: Final = {
    "code": Field(read.code),
    "name": Field(read.text),
    "users_per_year": Field(read.count, required=False),
    "questionnaire": Field(read.code, required=False),
    **_VALIDITY,
}
_OPD: Final = {
    "code": Field(read.code),
    "name": Field(read.text),
    "official_code": Field(read.text, required=False),
    "successor": Field(read.code, required=False),
    "layanan": Field(read.entries(_LAYANAN, _temporal(Layanan), "code"), required=False),
    **_VALIDITY,
}
_CHANNEL: Final = {
    "name": Field(read.code),
    "kind": Field(read.code),
    "opd": Field(
        read.codes, required=False
    ),  # left out: all of them; an empty list is refused, it would be a guess
    **_VALIDITY,
}
_document: Final = read.entry(
    {
        "instansi": Field(read.entry(_INSTANSI, Instansi), required=False),
        "questionnaires": Field(
            read.entries(_QUESTIONNAIRE, _questionnaire, "code"), required=False
        ),
        "opd": Field(read.entries(_OPD, _temporal(Opd), "code"), required=False),
        "channels": Field(read.entries(_CHANNEL, _temporal(Channel), "name"), required=False),
    },
    Document,
)
