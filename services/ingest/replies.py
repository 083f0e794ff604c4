"""What a sender is told: receipts and refusals, or a problem when nothing could be taken."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from shared.domain.violation import Violation
from shared.problems import Problem, problem

FORBIDDEN = "forbidden"


class RefusedItem(msgspec.Struct, frozen=True, gc=False):
    """One submission that was not accepted: its index in the request, and every reason."""

    index: int
    errors: Sequence[Violation]


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The body of a 202."""

    accepted: int
    receipts: Sequence[str]
    refused: Sequence[RefusedItem]


encode = msgspec.json.Encoder().encode


def refusal_of_all(refused: Sequence[RefusedItem], *, is_batch: bool) -> Problem:
    """Return the problem of a request of which nothing can be accepted."""
    index, violations = refused[0].index, refused[0].errors
    is_forbidden = all(error.code == FORBIDDEN for refusal in refused for error in refusal.errors)
    code = FORBIDDEN if is_forbidden else "invalid-submission"
    if is_batch:
        detail = f"none of the {len(refused):,} submissions can be accepted"
        errors = [
            replace(violation, pointer=f"/{index}{violation.pointer}") for violation in violations
        ]
        return problem(code, detail, errors=errors, refused=refused)
    if violations[0].code == "malformed-json":
        code = "malformed-json"
    return problem(code, violations[0].detail, errors=violations)
