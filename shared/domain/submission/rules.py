"""Rules for JSON values, built from tables, that yield every violation with its JSON pointer."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.submission.instant import FIRST_YEAR, LAST_YEAR, parse_instant
from shared.domain.violation import Violation

# PostgreSQL's text cannot hold NUL, UTF-8 cannot hold half of a surrogate pair.
UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
NAME_MAX: Final = 128  # of a pointer: a hostile sender's names would come back to it by megabytes

Rule = Callable[[object, str], Iterator[Violation]]


@dataclass(frozen=True, slots=True)
class MemberRule:
    """A member of an object; null means the same as absent."""

    rule: Rule
    required: bool = False


def member(pointer: str, name: object) -> str:
    """Return the pointer to a member (RFC 6901, 3), its ~ and / escaped.

    What cannot be stored becomes U+FFFD; a name that is longer than any field's is cut.
    """
    text = str(name)
    if len(text) > NAME_MAX:
        text = f"{text[:NAME_MAX]}…"
    escaped = text.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{UNSTORABLE.sub('�', escaped)}"


def text(shortest: int, longest: int) -> Rule:
    """Demand a string of so many characters, all of them storable."""

    def rule(value: object, pointer: str) -> Iterator[Violation]:
        if not isinstance(value, str):
            yield Violation(pointer, "type", "must be a string")
            return
        if not shortest <= len(value) <= longest:
            yield Violation(pointer, "length", f"must have {shortest} to {longest} characters")
        yield from _storable(value, pointer)

    return rule


def matching(pattern: str, longest: int) -> Rule:
    """Demand a string of so many characters that the pattern matches."""
    is_matched = re.compile(pattern).search

    def rule(value: object, pointer: str) -> Iterator[Violation]:
        if not isinstance(value, str):
            yield Violation(pointer, "type", "must be a string")
        elif len(value) > longest or not is_matched(value):
            yield Violation(pointer, "format", f"must have 1 to {longest} of A-Z a-z 0-9 . _ -")

    return rule


def choice(codes: Collection[str]) -> Rule:
    """Demand one of the codes."""
    listed = ", ".join(codes)

    def rule(value: object, pointer: str) -> Iterator[Violation]:
        if not isinstance(value, str):
            yield Violation(pointer, "type", "must be a string")
        elif value not in codes:
            yield Violation(pointer, "choice", f"must be one of {listed}")

    return rule


def integer(lowest: int, highest: int) -> Rule:
    """Demand a JSON integer between two numbers, both included; 4.0 and true are none."""

    def rule(value: object, pointer: str) -> Iterator[Violation]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Violation(pointer, "type", "must be an integer")
        elif not lowest <= value <= highest:
            yield Violation(pointer, "range", f"must be between {lowest} and {highest}")

    return rule


def instant(value: object, pointer: str) -> Iterator[Violation]:
    """Demand an RFC 3339 time with an offset, in a year that every zone and window can hold."""
    if not isinstance(value, str):
        yield Violation(pointer, "type", "must be a string")
    elif parse_instant(value) is None:
        detail = (
            f"must be an RFC 3339 time with an offset, in the years {FIRST_YEAR} to {LAST_YEAR}"
        )
        yield Violation(pointer, "datetime", detail)


def record(fields: Mapping[str, MemberRule]) -> Rule:
    """Demand an object with these members and no others; violations come in the table's order."""

    def rule(value: object, pointer: str) -> Iterator[Violation]:
        if not isinstance(value, dict):
            yield Violation(pointer, "type", "must be an object")
            return
        for name, field in fields.items():
            content = value.get(name)
            if content is not None:
                yield from field.rule(content, member(pointer, name))
            elif field.required:
                yield Violation(member(pointer, name), "required", "is required")
        for name in value:
            if name not in fields:
                yield Violation(member(pointer, name), "unknown", "is not a known field")

    return rule


def by_name(each: Rule) -> Rule:
    """Demand an object of such values, or nulls, under any storable names."""

    def rule(value: object, pointer: str) -> Iterator[Violation]:
        if not isinstance(value, dict):
            yield Violation(pointer, "type", "must be an object")
            return
        for name, content in value.items():
            yield from _storable(str(name), member(pointer, name))
            if content is not None:
                yield from each(content, member(pointer, name))

    return rule


def _storable(value: str, pointer: str) -> Iterator[Violation]:
    if UNSTORABLE.search(value):
        yield Violation(pointer, "character", "must not contain NUL or half of a surrogate pair")
