"""What a verification found, in values that print as one line each."""

from collections.abc import Sequence
from typing import NamedTuple


class Finding(NamedTuple):
    """Something that must not be. `check`: the stable name of the check that found it."""

    check: str
    text: str


class Report(NamedTuple):
    """The findings, and in `notes` what was looked at and what could not be."""

    findings: Sequence[Finding]
    notes: Sequence[str]
