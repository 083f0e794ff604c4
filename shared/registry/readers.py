"""Readers: tables of fields say what a file may hold; its values come out, or every violation.

The pointer of a violation is the path in the file, as people write it: `opd[3].layanan[0].code`.
"""

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from shared.domain.errors import IkmError
from shared.domain.violation import Violation
from shared.registry.strict_yaml import field_path

TEXT_MAX: Final = 1_000
TREE_DEPTH: Final = 6
TREE_MAX: Final = 1_000
COUNT_MAX: Final = 2_000_000_000  # fits PostgreSQL's integer
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

# A reader gets a value and its path; it returns what it read, or raises Invalid.
Read = Callable[[object, str], Any]


@dataclass(frozen=True, slots=True)
class FileField:
    """One field of a mapping: how it is read, and whether it may be left out."""

    read: Read
    required: bool = True


class Invalid(IkmError):
    """A value is not what may stand there."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__(f"{len(violations)} violation(s)")
        self.violations = violations


def text(value: object, path: str) -> str:
    """Read one line of text."""
    if isinstance(value, bool | int | float):
        raise _invalid(path, "type", f'must be text: write it in quotes, like "{value}"')
    if not isinstance(value, str):
        raise _invalid(path, "type", "must be text")
    if not value.strip() or len(value) > TEXT_MAX or _UNPRINTABLE.search(value):
        raise _invalid(path, "format", f"must be one line of 1 to {TEXT_MAX} printable characters")
    return value


def matching(pattern: re.Pattern[str]) -> Read:
    """Read text that matches as a whole."""

    def read(value: object, path: str) -> str:
        line = text(value, path)
        if not pattern.fullmatch(line):
            raise _invalid(path, "format", f"{line!r} must match {pattern.pattern}")
        return line

    return read


def one_of(allowed: Callable[[], Container[str]], meaning: str) -> Read:
    """Read text that is one of the allowed ones; `meaning` says what they are."""

    def read(value: object, path: str) -> str:
        choice = text(value, path)
        if choice not in allowed():
            raise _invalid(path, "choice", f"{choice!r} is not {meaning}")
        return choice

    return read


code = matching(_CODE)


def count(value: object, path: str) -> int:
    """Read a whole number, 1 or more."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= COUNT_MAX:
        return value
    raise _invalid(
        path,
        "range",
        f"must be a whole number from 1 to {COUNT_MAX}; leave it out when it is not known",
    )


def flag(value: object, path: str) -> bool:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    raise _invalid(path, "type", "must be true or false")


def day(value: object, path: str) -> date:
    """Read a day of the calendar."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise _invalid(path, "format", f"{value!r} is not a day: write YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise _invalid(path, "range", f"{value!r}: {error}") from None


def tree(value: object, path: str) -> Mapping[str, Any]:
    """Read a mapping of whatever YAML can hold, neither deep nor large; its kind judges it."""
    if not isinstance(value, dict):
        raise _invalid(path, "type", "must be a mapping")
    if sum(1 for _ in _branches(value, path, TREE_DEPTH)) > TREE_MAX:
        raise _invalid(path, "length", f"must hold at most {TREE_MAX:,} values")
    return value


def _branches(value: object, path: str, depth: int) -> Iterator[object]:
    """Yield a value and all that it holds; Invalid for what JSON could not hold."""
    if not depth:
        raise _invalid(path, "depth", f"must be nested at most {TREE_DEPTH} deep")
    yield value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _branches(inner, field_path(path, text(name, path)), depth - 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _branches(inner, f"{path}[{index}]", depth - 1)
    elif isinstance(value, str):
        text(value, path)
    elif value is not None and not isinstance(value, bool | int | float):
        raise _invalid(path, "type", "must be text, a number, true, false, a list or a mapping")


def list_of(read_item: Read, size: int | None = None) -> Read:
    """Read a list that is not empty."""

    def read(value: object, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or not value or (size is not None and len(value) != size):
            meaning = f"a list of {size}" if size else "a list, and not an empty one"
            raise _invalid(path, "type", f"must be {meaning}")
        return tuple(_read_all(_items(read_item, value, path)))

    return read


def codes(value: object, path: str) -> frozenset[str]:
    """Read a list of codes, each given once."""
    texts = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    repeated = [
        Violation(path, "repeated", f"{text!r} is given twice")
        for text, times in Counter(texts).items()
        if times > 1
    ]
    (items,) = _read_all([(list_of(code), value, path)], repeated)
    return frozenset(items)


def entry(fields: Mapping[str, FileField], build: Callable[..., Any]) -> Read:
    """Read one mapping with these fields and build the value from them."""

    def read(value: object, path: str) -> object:
        if not isinstance(value, dict):
            raise _invalid(path or "file", "type", f"must be a mapping with: {', '.join(fields)}")
        given = [name for name in fields if name in value]
        values = _read_all(
            [(fields[name].read, value[name], field_path(path, name)) for name in given],
            _wrong_fields(fields, value, path),
        )
        try:
            return build(**dict(zip(given, values, strict=True)))
        except IkmError as error:
            raise _invalid(path, "contradiction", str(error)) from None

    return read


def entries(fields: Mapping[str, FileField], build: Callable[..., Any], key: str) -> Read:
    """Read a list of mappings as a dictionary by their field `key`, which no two share."""
    read_entry = entry(fields, build)

    def read(value: object, path: str) -> dict[str, Any]:
        if not isinstance(value, list):
            raise _invalid(path, "type", "must be a list")
        items = _read_all(_items(read_entry, value, path), _repeated_entries(value, key, path))
        return {getattr(item, key): item for item in items}

    return read


def _invalid(path: str, violation_code: str, detail: str) -> Invalid:
    return Invalid(Violation(path, violation_code, detail))


def _read_all(
    readings: Iterable[tuple[Read, object, str]], violations: Iterable[Violation] = ()
) -> list[Any]:
    """Read every value at its path. Raises Invalid with these violations and all that are found."""
    values, violations = [], list(violations)
    for read, value, path in readings:
        try:
            values.append(read(value, path))
        except Invalid as error:
            violations += error.violations
    if violations:
        raise Invalid(*violations)
    return values


def _items(read: Read, values: list[Any], path: str) -> Iterator[tuple[Read, object, str]]:
    for index, value in enumerate(values):
        yield read, value, f"{path}[{index}]"


def _wrong_fields(
    fields: Mapping[str, FileField], value: Mapping[object, object], path: str
) -> Iterator[Violation]:
    for name in value:
        if name not in fields:
            detail = f"is not a field here; known: {', '.join(fields)}"
            yield Violation(field_path(path, name), "unknown-field", detail)
    for name, described in fields.items():
        if described.required and name not in value:
            yield Violation(field_path(path, name), "required", "is missing")


def _repeated_entries(values: list[Any], key: str, path: str) -> Iterator[Violation]:
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        name = value.get(key) if isinstance(value, dict) else None
        if isinstance(name, str) and first.setdefault(name, index) != index:
            detail = f"{name!r} is also {path}[{first[name]}]"
            yield Violation(f"{path}[{index}].{key}", "repeated", detail)
