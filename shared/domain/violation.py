"""What is wrong with a document, wherever it came from: a submission, an event, a registry file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong: where (a JSON pointer, RFC 6901), what (a stable code), and in words."""

    pointer: str
    code: str
    detail: str
