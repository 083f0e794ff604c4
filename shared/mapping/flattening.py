"""Nested JSON as one flat record, its names joined with "/" as KoboToolbox writes groups."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.mapping.values import Unfit

FIELDS_MAX: Final = 2_000
DEPTH_MAX: Final = 20


def flattened(document: Mapping[str, object]) -> dict[str, object]:
    """Return the record of a JSON object: {"a": {"b": [1]}} is {"a/b/0": 1}.

    Unfit when it is too deep or too wide to be one answered questionnaire.
    """
    record: dict[str, object] = {}
    for name, value in _leaves("", document, DEPTH_MAX):
        record[name] = value
        if len(record) > FIELDS_MAX:
            raise Unfit("length", f"a record may have {FIELDS_MAX:,} fields")
    return record


def _leaves(path: str, value: object, depth: int) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict | list):
        yield path, value
        return
    if not depth:
        raise Unfit("length", f"a record may be {DEPTH_MAX} levels deep")
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in items:
        yield from _leaves(f"{path}/{name}" if path else str(name), inner, depth - 1)
