"""What a verification comes to, in values that print as one line each."""

from collections.abc import Sequence
from typing import NamedTuple


class Finding(NamedTuple):
    """Something that must not be, in words, and the stable name of the check that noticed it."""

    check: str
    text: str


class Report(NamedTuple):
    """The findings, and in `notes` what was looked at and what could not be."""

    findings: Sequence[Finding]
    notes: Sequence[str]
