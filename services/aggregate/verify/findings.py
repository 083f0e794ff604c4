"""What a verification comes to, in values that print as one line each."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.storage.checks.row_rules import Mismatches


class Finding(NamedTuple):
    """Something that must not be, in words, and the stable name of the check that noticed it."""

    check: str
    text: str


class Report(NamedTuple):
    """The findings, and in `notes` what was looked at and what could not be."""

    findings: Sequence[Finding]
    notes: Sequence[str]


def in_words(subject: str, mismatches: Mismatches) -> Iterator[str]:
    """Yield a line that says what is wrong with how many rows, and names a few; none for none."""
    if mismatches.total:
        more = ", …" if mismatches.total > len(mismatches.examples) else ""
        examples = ", ".join(mismatches.examples)
        yield f"{subject}: {mismatches.wrong}: {mismatches.total} ({examples}{more})"
