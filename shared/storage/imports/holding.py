"""Who reads a file that is imported, and how far.

Whoever reads a file holds it for a while and says how far it is; when that stops, another one takes
it over. What a holder says after that is not heard.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from shared.domain.violation import Violation
from shared.storage.imports.files import drop_pieces

HOLD_S = 30
TRIES_MAX = 4  # readers that were lost on the same rows: the next one would be lost too

# Whether there is something to take.
_IS_DUE = sa.text("""
SELECT EXISTS (SELECT FROM import_file
  WHERE state = 'waiting' OR (state = 'running' AND held_until < now()))
""")
# Take what waits, or what its reader has not spoken of for too long.
_CLAIM = sa.text("""
UPDATE import_file SET state = 'running', holder = :holder, tries = tries + 1,
  held_until = now() + make_interval(secs => :hold_s)
WHERE import = (
  SELECT import FROM import_file
  WHERE state = 'waiting' OR (state = 'running' AND held_until < now())
  ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING import, channel, options, bytes, rows, tries, created_at
""")
_ADVANCE = sa.text("""
UPDATE import_file SET rows = :rows, accepted = accepted + :accepted,
  refused = refused + :refused, read_bytes = :read_bytes,
  tries = CASE WHEN rows < :rows THEN 0 ELSE tries END,
  held_until = now() + make_interval(secs => :hold_s)
WHERE import = :import AND holder = :holder AND state = 'running'
""")
_ASSUME = sa.text("""
UPDATE import_file SET assumed = CAST(:assumed AS jsonb)
WHERE import = :import AND holder = :holder AND state = 'running'
""")
_REFUSE = sa.text("""
INSERT INTO import_refusal (import, line, violations)
SELECT :import, line, CAST(violations AS jsonb)
FROM unnest(CAST(:lines AS bigint[]), CAST(:violations AS text[])) AS given (line, violations)
ON CONFLICT DO NOTHING
""")
_FINISH = sa.text("""
UPDATE import_file SET state = :state, reason = :reason, detail = :detail, finished_at = now(),
  holder = NULL, held_until = NULL, read_bytes = CASE WHEN :is_done THEN bytes ELSE read_bytes END
WHERE import = :import AND holder = :holder AND state = 'running'
""")


class ClaimedImport(NamedTuple):
    """A file to be read. `rows`: those that are done with. `created_us`: since 1970."""

    import_id: uuid.UUID
    holder: uuid.UUID
    channel: str
    options: Mapping[str, Any]
    size_bytes: int
    rows: int
    tries: int
    created_us: int


class Refusal(NamedTuple):
    """A row that was refused, by the line on which it begins."""

    line: int
    violations: Sequence[Violation]


class Advance(NamedTuple):
    """How far a reader is, and what it did since it last said so."""

    rows: int
    read_bytes: int
    accepted: int
    refusals: Sequence[Refusal]


def is_due(connection: sa.Connection) -> bool:
    """Tell whether there is a file that nobody reads."""
    due: bool = connection.execute(_IS_DUE).scalar_one()
    return due


def claim(connection: sa.Connection, holder: uuid.UUID) -> ClaimedImport | None:
    """Take the oldest file that nobody reads."""
    row = connection.execute(_CLAIM, {"holder": holder, "hold_s": HOLD_S}).one_or_none()
    if row is None:
        return None
    import_id, channel, options, size_bytes, rows, tries, created_at = row
    created_us = round(created_at.timestamp() * 1_000_000)
    return ClaimedImport(import_id, holder, channel, options, size_bytes, rows, tries, created_us)


def advance(connection: sa.Connection, claimed: ClaimedImport, step: Advance) -> bool:
    """Note how far the file is read, and hold it on; False when it is held no more."""
    values = _of(claimed) | {
        "rows": step.rows,
        "accepted": step.accepted,
        "refused": len(step.refusals),
        "read_bytes": step.read_bytes,
        "hold_s": HOLD_S,
    }
    if not connection.execute(_ADVANCE, values).rowcount:
        return False
    if step.refusals:
        reasons = [msgspec.json.encode(refusal.violations).decode() for refusal in step.refusals]
        lines = [refusal.line for refusal in step.refusals]
        connection.execute(
            _REFUSE, {"import": claimed.import_id, "lines": lines, "violations": reasons}
        )
    return True


def assume(
    connection: sa.Connection, claimed: ClaimedImport, assumed: Mapping[str, object]
) -> None:
    """Note what was assumed about the file."""
    told = msgspec.json.encode(assumed).decode()
    connection.execute(_ASSUME, _of(claimed) | {"assumed": told})


def finish(
    connection: sa.Connection, claimed: ClaimedImport, fault: tuple[str, str] | None = None
) -> None:
    """End an import, for a reason and its explanation when it failed; its pieces are deleted."""
    reason, detail = fault or (None, None)
    values = {
        "state": "done" if fault is None else "failed",
        "is_done": fault is None,
        "reason": reason,
        "detail": detail,
    }
    connection.execute(_FINISH, _of(claimed) | values)
    drop_pieces(connection)


def _of(claimed: ClaimedImport) -> dict[str, object]:
    return {"import": claimed.import_id, "holder": claimed.holder}
