"""A mapping: from one flat record of another system to one submission.

    id: _uuid
    opd: {value: disdukcapil}
    layanan: {field: layanan, values: {"KTP-el": ktp-el}}
    answers: {U1: u1/q1, U2: {field: u1/q2, values: {"Sangat sesuai": 4, …}}, …}
    respondent: {sex: {field: jk, values: {Laki-laki: L, Perempuan: P}}, age: umur, …}
    comment: saran
    submitted_at: {field: _submission_time, format: "%Y-%m-%dT%H:%M:%S", timezone: UTC}

It only carries over. Whether the result is a submission is judged where that of every format is;
`pointers` lead from there back to the fields.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import msgspec

from shared.domain.errors import IkmError
from shared.domain.submission.rules import member
from shared.domain.violation import Violation
from shared.mapping.source import Source
from shared.mapping.times import TimeReader
from shared.mapping.values import Convert, Unfit, plain_text, whole_number

_TIME_MEMBERS: Final = frozenset({"format", "timezone"})
_TEXTS: Final = ("id", "opd", "layanan", "questionnaire", "point", "comment", "replaces")
_PROFILE: Final[Mapping[str, Convert]] = {
    "sex": plain_text,
    "age": whole_number,
    "education": plain_text,
    "occupation": plain_text,
}
_REQUIRED: Final = ("opd", "layanan", "answers")
_UNSUR_MAX: Final = 64
_encode: Final = msgspec.json.Encoder().encode


class InvalidMapping(IkmError):
    """The mapping of fields cannot be used."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        lines = [f"  {violation.pointer}: {violation.detail}" for violation in violations]
        super().__init__("\n".join([f"{len(violations)} fault(s)", *lines]))
        self.violations = tuple(violations)


class Submitted(NamedTuple):
    """What a record became: the JSON of a submission, and its id when the mapping gives one."""

    body: bytes
    source_id: str | None


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """Turns records into submissions."""

    members: Mapping[str, Source]
    respondent: Mapping[str, Source]
    answers: Mapping[str, Source]

    @classmethod
    def of(cls, settings: object) -> Self:
        """Return the mapping that settings describe; InvalidMapping with all their violations.

        The pointers of these are paths as people write them: `answers.U1`.
        """
        if not isinstance(settings, Mapping):
            raise InvalidMapping([Violation("", "type", "must be a mapping of fields")])
        faults: list[Violation] = []
        allowed = {*_TEXTS, "answers", "respondent", "submitted_at"}
        faults.extend(
            Violation(str(name), "unknown", "is no member of a submission")
            for name in settings
            if name not in allowed
        )
        faults.extend(
            Violation(name, "required", "is required") for name in _REQUIRED if name not in settings
        )
        texts = {name: settings[name] for name in _TEXTS if name in settings}
        members = _sources(texts, "", lambda _: plain_text, faults)
        if "submitted_at" in settings:
            members |= _time_source(settings["submitted_at"], faults)
        profile = _group(settings, "respondent", _PROFILE.get, faults)
        answers = _group(settings, "answers", _score_of, faults)
        if faults:
            raise InvalidMapping(faults)
        return cls(members, profile, answers)

    @property
    def pointers(self) -> dict[str, str]:
        """From the pointers of a submission's members to those of the fields they came from."""
        return {
            pointer: source.pointer
            for pointer, source in (
                *((member("", name), source) for name, source in self.members.items()),
                *(
                    (member("/respondent", name), source)
                    for name, source in self.respondent.items()
                ),
                *((member("/answers", name), source) for name, source in self.answers.items()),
            )
            if source.name
        }

    def submission(self, record: Mapping[str, object]) -> Submitted | list[Violation]:
        """Return the submission of a record, or what cannot be carried over, field by field."""
        faults: list[Violation] = []
        document = _read(self.members, record, faults)
        document["answers"] = _read(self.answers, record, faults)
        if profile := _read(self.respondent, record, faults):
            document["respondent"] = profile
        if faults:
            return faults
        source_id = document.get("id")
        return Submitted(_encode(document), source_id if isinstance(source_id, str) else None)


def _read(
    sources: Mapping[str, Source], record: Mapping[str, object], faults: list[Violation]
) -> dict[str, object]:
    """Read what the record says; what cannot be read is added to the faults."""
    content = {}
    for name, source in sources.items():
        try:
            value = source.read(record)
        except Unfit as unfit:
            faults.append(source.violation(unfit))
            continue
        if value is not None:
            content[name] = value
    return content


def _group(
    settings: Mapping[str, object],
    name: str,
    convert_of: Callable[[str], Convert | None],
    faults: list[Violation],
) -> dict[str, Source]:
    group = settings.get(name, {})
    if isinstance(group, Mapping) and len(group) <= _UNSUR_MAX:
        return _sources(group, f"{name}.", convert_of, faults)
    faults.append(Violation(name, "type", f"must map up to {_UNSUR_MAX} members"))
    return {}


def _sources(
    settings: Mapping[str, object],
    path: str,
    convert_of: Callable[[str], Convert | None],
    faults: list[Violation],
) -> dict[str, Source]:
    sources = {}
    for name, described in settings.items():
        convert = convert_of(name)
        if convert is None:
            faults.append(Violation(f"{path}{name}", "unknown", "is no member of a submission"))
            continue
        try:
            sources[str(name)] = Source.of(described, convert)
        except Unfit as unfit:
            faults.append(Violation(f"{path}{name}", unfit.code, unfit.detail))
    return sources


def _time_source(described: object, faults: list[Violation]) -> dict[str, Source]:
    try:
        reader = TimeReader.of(described if isinstance(described, Mapping) else {})
        return {"submitted_at": Source.of(described, reader.read, _TIME_MEMBERS)}
    except Unfit as unfit:
        faults.append(Violation("submitted_at", unfit.code, unfit.detail))
        return {}


def _score_of(_unsur: str) -> Convert:
    return whole_number
