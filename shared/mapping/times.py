"""Times as other systems write them: with or without an offset, in a format of their own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final, Self
from zoneinfo import ZoneInfo

from shared.domain.submission.instant import parse_instant
from shared.mapping.values import Unfit, plain_text

_SAMPLE: Final = datetime(2026, 5, 4, 9, 12, tzinfo=UTC)
# As Google Forms writes an offset: "2025/10/24 6:46:43 PM GMT+7".
_NAMED_OFFSET: Final = re.compile(r"\b(?:GMT|UTC)([+-])(\d{1,2})(?::?(\d\d))?$", re.ASCII)


@dataclass(frozen=True, slots=True)
class TimeReader:
    """Reads times in a format of `strptime`, else RFC 3339; without an offset in a time zone."""

    pattern: str | None = None
    zone: ZoneInfo | None = None

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> Self:
        """Return the reader that `format` and `timezone` describe; Unfit when they are wrong."""
        pattern, name = settings.get("format"), settings.get("timezone")
        if not isinstance(pattern, str | None) or not isinstance(name, str | None):
            raise Unfit("type", "format and timezone must be text")
        if pattern is not None:
            _check(pattern)
        return cls(pattern, None if name is None else _zone(name))

    def read(self, value: object) -> str | None:
        """Return the instant in RFC 3339, in UTC; None when the value says nothing."""
        instant = self._instant(value)
        if instant is None:
            return None
        if instant.tzinfo is None:
            if self.zone is None:
                raise Unfit("datetime", "has no offset: give the mapping a timezone")
            instant = instant.replace(tzinfo=self.zone)
        try:
            return instant.astimezone(UTC).isoformat()
        except OverflowError:
            raise Unfit("datetime", "is no time of our calendar") from None

    def _instant(self, value: object) -> datetime | None:
        if isinstance(value, datetime):  # as spreadsheets hold them
            return value
        if isinstance(value, date):
            return datetime.combine(value, time())
        text = plain_text(value)
        if text is None:
            return None
        try:
            if self.pattern is not None:
                return _parsed(_NAMED_OFFSET.sub(_offset, text), self.pattern)
            return parse_instant(text) or datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            wanted = self.pattern or "RFC 3339, like 2026-05-04T09:12:00+07:00"
            raise Unfit("datetime", f"must be a time written as {wanted}") from None


def _parsed(text: str, pattern: str) -> datetime:
    return datetime.strptime(text, pattern)  # noqa: DTZ007 (a naive one gets its zone from `read`)


def _offset(match: re.Match[str]) -> str:
    sign, hours, minutes = match.groups()
    return f"{sign}{hours:0>2}:{minutes or '00'}"


def _check(pattern: str) -> None:
    try:
        _parsed(_SAMPLE.strftime(pattern), pattern)
    except (ValueError, re.error):
        raise Unfit("format", f"{pattern!r} is no format of strptime, like %d/%m/%Y") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        detail = f"{name!r} is no time zone of the tz database, like Asia/Jakarta"
        raise Unfit("choice", detail) from None
