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


class Accepted(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The body of a 202; `truncated` when not every violation is listed.

    `sandbox`: the key is for trying things out. All was checked, and nothing will be counted.
    """

    accepted: int
    receipts: Sequence[str]
    refused: Sequence[RefusedItem]
    truncated: bool = False
    sandbox: bool = False


encode = msgspec.json.Encoder().encode


def refusal_of_all(
    refused: Sequence[RefusedItem], *, is_batch: bool, is_forbidden: bool, truncated: bool
) -> Problem:
    """Return the problem of a request of which nothing can be accepted.

    `is_forbidden`: for all of it the reason is that the key may not send it.
    """
    index, violations = refused[0].index, refused[0].errors
    code = FORBIDDEN if is_forbidden else "invalid-submission"
    if is_batch:
        detail = f"none of the {len(refused):,} submissions can be accepted"
        errors = [
            replace(violation, pointer=f"/{index}{violation.pointer}") for violation in violations
        ]
        told = {"truncated": True} if truncated else {}
        return problem(code, detail, errors=errors, refused=refused, **told)
    if violations[0].code == "malformed-json":
        code = "malformed-json"
    return problem(code, violations[0].detail, errors=violations)
