"""How a file is to be read: what its sender says, checked before anything of it is kept."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import msgspec

from shared.domain.errors import IkmError
from shared.domain.violation import Violation
from shared.mapping.field_mapping import FieldMapping, InvalidMapping
from shared.registry.snapshot import Registry

PRESETS: Final = ("template", "limesurvey", "google-forms", "ikm")
TEXT_MAX: Final = 200


class InvalidOptions(IkmError):
    """The file cannot be imported like this."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in violations))
        self.violations = violations


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender says. `day`: of all answers, in a file that has no times.

    `mapping` goes before `preset`. With `dry_run` every row is judged and none is counted.
    """

    preset: str = PRESETS[0]
    mapping: dict[str, Any] | None = None
    opd: str | None = None
    layanan: str | None = None
    sheet: str | None = None
    time_format: str | None = None
    timezone: str | None = None
    day: str | None = None
    dry_run: bool = False

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Return the options that were stored."""
        return msgspec.convert(stored, cls)

    def as_stored(self) -> dict[str, Any]:
        """Return them as they are stored: what was not said is left out."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value}

    def check(self, registry: Registry) -> None:
        """Raise InvalidOptions for what no file could be read with."""
        faults = [
            Violation(f"/query/{name}", "length", f"may have {TEXT_MAX} characters")
            for name, value in msgspec.structs.asdict(self).items()
            if isinstance(value, str) and (len(value) > TEXT_MAX or "\0" in value)
        ]
        if self.preset not in PRESETS:
            faults.append(_wrong("preset", "choice", f"must be one of {', '.join(PRESETS)}"))
        faults += self._wrong_place(registry)
        if self.timezone is not None and not _is_zone(self.timezone):
            faults.append(_wrong("timezone", "choice", "is no time zone, like Asia/Jakarta"))
        if self.day is not None and not _is_day(self.day):
            faults.append(_wrong("day", "format", "must be a day, like 2026-05-04"))
        if self.mapping is not None:
            try:
                FieldMapping.of(self.mapping)
            except InvalidMapping as invalid:
                faults += [
                    _wrong("mapping", fault.code, f"{fault.pointer}: {fault.detail}".lstrip(": "))
                    for fault in invalid.violations
                ]
        if faults:
            raise InvalidOptions(*faults)

    def _wrong_place(self, registry: Registry) -> list[Violation]:
        if self.opd is None:
            if self.layanan is None:
                return []
            return [_wrong("layanan", "required", "needs opd beside it")]
        opd = registry.opd.get(self.opd)
        if opd is None:
            return [_wrong("opd", "unknown-opd", "no OPD has this code")]
        if self.layanan is not None and self.layanan not in opd.layanan:
            return [_wrong("layanan", "unknown-layanan", "no layanan of this OPD has this code")]
        return []


def _wrong(parameter: str, code: str, detail: str) -> Violation:
    return Violation(f"/query/{parameter}", code, detail)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
