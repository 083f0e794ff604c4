"""Strict YAML: tables of fields say what a file may hold; what it holds comes out, or every fault with its path."""

import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import yaml

from shared.domain.errors import IkmError

TEXT_MAX: Final = 1_000
COUNT_MAX: Final = 2_000_000_000  # fits PostgreSQL's integer
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a file: where, and what."""

    path: str
    detail: str


# A reader gets a value and its path; it gives what it read, or None and adds to the faults what is
# wrong.
Read = Callable[[object, str, list[Fault]], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a mapping: how it is read, and whether it may be left out."""

    read: Read
    required: bool = True


class NotYaml(IkmError):
    """The file is not YAML."""


class _Loader(yaml.SafeLoader):
    """YAML without dates: a day that is not in the calendar must become a fault with a path, not an exception."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(source: str) -> tuple[object, list[Fault]]:
    """Return the content of one YAML document, and the fields that it gives twice. Raises NotYaml."""
    try:
        loader = _Loader(source)
        node = loader.get_single_node()
        if node is None:
            return None, []
        return loader.construct_document(node), list(_repeated(node, "", set()))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotYaml(str(error)) from error


def text(value: object, path: str, faults: list[Fault]) -> str | None:
    """Read one line of text."""
    if isinstance(value, bool | int | float):
        faults.append(Fault(path, f'must be text: write it in quotes, like "{value}"'))
    elif not isinstance(value, str):
        faults.append(Fault(path, "must be text"))
    elif not value.strip() or len(value) > TEXT_MAX or _UNPRINTABLE.search(value):
        faults.append(Fault(path, f"must be one line of 1 to {TEXT_MAX} printable characters"))
    else:
        return value
    return None


def matching(pattern: re.Pattern[str]) -> Read:
    """Read text that matches as a whole."""

    def read(value: object, path: str, faults: list[Fault]) -> str | None:
        found = text(value, path, faults)
        if found is None or pattern.fullmatch(found):
            return found
        faults.append(Fault(path, f"{found!r} must match {pattern.pattern}"))
        return None

    return read


def one_of(allowed: Callable[[], Container[str]], meaning: str) -> Read:
    """Read text that is one of these; `meaning` says what they are."""

    def read(value: object, path: str, faults: list[Fault]) -> str | None:
        found = text(value, path, faults)
        if found is None or found in allowed():
            return found
        faults.append(Fault(path, f"{found!r} is not {meaning}"))
        return None

    return read


code = matching(_CODE)


def count(value: object, path: str, faults: list[Fault]) -> int | None:
    """Read a whole number, 1 or more."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= COUNT_MAX:
        return value
    faults.append(
        Fault(
            path, f"must be a whole number from 1 to {COUNT_MAX}; leave it out when it is not known"
        )
    )
    return None


def flag(value: object, path: str, faults: list[Fault]) -> bool | None:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    faults.append(Fault(path, "must be true or false"))
    return None


def day(value: object, path: str, faults: list[Fault]) -> date | None:
    """Read a day of the calendar."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            faults.append(Fault(path, f"{value!r}: {error}"))
            return None
    faults.append(Fault(path, f"{value!r} is not a day: write YYYY-MM-DD"))
    return None


def list_of(read_item: Read, size: int | None = None) -> Read:
    """Read a list that is not empty."""

    def read(value: object, path: str, faults: list[Fault]) -> list[Any]:
        if not isinstance(value, list) or not value or (size is not None and len(value) != size):
            faults.append(
                Fault(
                    path,
                    f"must be a list of {size}" if size else "must be a list, and not an empty one",
                )
            )
            return []
        return [read_item(item, f"{path}[{index}]", faults) for index, item in enumerate(value)]

    return read


def codes(value: object, path: str, faults: list[Fault]) -> frozenset[str]:
    """Read a list of codes, each given once."""
    found = [item for item in list_of(code)(value, path, faults) if item is not None]
    faults.extend(
        Fault(path, f"{item!r} is given twice")
        for item, times in Counter(found).items()
        if times > 1
    )
    return frozenset(found)


def entry(fields: Mapping[str, Field], build: Callable[..., Any]) -> Read:
    """Read one mapping with these fields and build the value from them; None when there is a fault."""

    def read(value: object, path: str, faults: list[Fault]) -> object:
        before = len(faults)
        values = _fields(fields, value, path, faults)
        if len(faults) > before:
            return None
        try:
            return build(**values)
        except IkmError as error:
            faults.append(Fault(path, str(error)))
            return None

    return read


def entries(fields: Mapping[str, Field], build: Callable[..., Any], key: str) -> Read:
    """Read a list of mappings as a dictionary by their field `key`, which no two share."""
    read_entry = entry(fields, build)

    def read(value: object, path: str, faults: list[Fault]) -> dict[str, Any]:
        if not isinstance(value, list):
            faults.append(Fault(path, "must be a list"))
            return {}
        first: dict[object, int] = {}
        for index, item in enumerate(value):
            name = item.get(key) if isinstance(item, dict) else None
            if isinstance(name, str) and first.setdefault(name, index) != index:
                faults.append(
                    Fault(f"{path}[{index}].{key}", f"{name!r} is also {path}[{first[name]}]")
                )
        found = [read_entry(item, f"{path}[{index}]", faults) for index, item in enumerate(value)]
        return {getattr(item, key): item for item in found if item is not None}

    return read


def _fields(
    fields: Mapping[str, Field], value: object, path: str, faults: list[Fault]
) -> dict[str, Any]:
    if not isinstance(value, dict):
        faults.append(Fault(path or "file", f"must be a mapping with: {', '.join(fields)}"))
        return {}
    unknown = [name for name in value if name not in fields]
    missing = [name for name, known in fields.items() if known.required and name not in value]
    faults.extend(
        Fault(_join(path, name), f"is not a field here; known: {', '.join(fields)}")
        for name in unknown
    )
    faults.extend(Fault(_join(path, name), "is missing") for name in missing)
    return {
        name: known.read(value[name], _join(path, name), faults)
        for name, known in fields.items()
        if name in value
    }


def _repeated(node: yaml.Node, path: str, seen: set[int]) -> Iterator[Fault]:
    """Fields that are given twice in one mapping: YAML would silently keep the last."""
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated(item, f"{path}[{index}]", seen)
    elif isinstance(node, yaml.MappingNode):
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        yield from (
            Fault(_join(path, name), "is given twice") for name, times in names.items() if times > 1
        )
        for key, item in node.value:
            yield from _repeated(item, _join(path, key.value), seen)


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
