"""Files that are imported: received in pieces, their state, the report of what was refused."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

RECEIVING_MAX_S = 3600
REPORT_DAYS = 30
_REPORT_PAGE = 2000

# Begin to receive a file.
_BEGIN = sa.text("""
INSERT INTO import_file (import, channel, options, state, created_at)
VALUES (:import, :channel, CAST(:options AS jsonb), 'receiving', now())
""")
# Keep a piece.
_PIECE = sa.text("""
INSERT INTO import_piece (import, number, content) VALUES (:import, :number, :content)
""")
# All pieces are there.
_RECEIVED = sa.text("""
UPDATE import_file SET state = 'waiting', bytes = :bytes
WHERE import = :import AND state = 'receiving'
""")
_UNFINISHED = sa.text("""
SELECT count(*) FROM import_file WHERE state IN ('receiving', 'waiting', 'running')
""")
_CANCEL = sa.text("""
UPDATE import_file SET state = 'cancelled', finished_at = now()
WHERE import = :import AND state IN ('receiving', 'waiting', 'running')
""")
_STATUS = sa.text("""
SELECT import, channel, options, state, reason, detail, assumed, bytes, read_bytes, rows,
  accepted, refused, created_at, finished_at
FROM import_file WHERE import = :import
""")
_REPORT = sa.text("""
SELECT line, violations FROM import_refusal
WHERE import = :import AND line > :after ORDER BY line LIMIT :limit
""")
_READ_PIECE = sa.text("""
SELECT content FROM import_piece WHERE import = :import AND number = :number
""")
# Pieces of what nobody reads any more.
_DROP_PIECES = sa.text("""
DELETE FROM import_piece WHERE import IN (
  SELECT import FROM import_file WHERE state IN ('done', 'failed', 'cancelled'))
""")
# Uploads that broke off.
_GIVE_UP = sa.text("""
UPDATE import_file SET state = 'failed', reason = 'upload-ended', finished_at = now(),
  detail = 'the upload ended before the file did'
WHERE state = 'receiving' AND created_at < now() - make_interval(secs => :after_s)
""")
_FORGET = sa.text("""
WITH gone AS (
  DELETE FROM import_file WHERE finished_at < now() - make_interval(days => :days)
  RETURNING import)
DELETE FROM import_refusal WHERE import IN (SELECT import FROM gone)
""")


def begin(
    connection: sa.Connection, import_id: uuid.UUID, channel: str, options: Mapping[str, Any]
) -> None:
    """Begin to receive a file."""
    told = msgspec.json.encode(options).decode()
    connection.execute(_BEGIN, {"import": import_id, "channel": channel, "options": told})


def keep_piece(
    connection: sa.Connection, import_id: uuid.UUID, number: int, content: bytes
) -> None:
    """Keep a piece of a file."""
    connection.execute(_PIECE, {"import": import_id, "number": number, "content": content})


def end_of_file(connection: sa.Connection, import_id: uuid.UUID, size_bytes: int) -> bool:
    """Note that all pieces are there; False when the import was cancelled meanwhile."""
    received = connection.execute(_RECEIVED, {"import": import_id, "bytes": size_bytes})
    return received.rowcount == 1


def unfinished(connection: sa.Connection) -> int:
    """Count the imports that are received, waiting or read."""
    count: int = connection.execute(_UNFINISHED).scalar_one()
    return count


def cancel(connection: sa.Connection, import_id: uuid.UUID) -> bool:
    """Cancel an import; False when it is over already. Its pieces go with the next tidying."""
    return connection.execute(_CANCEL, {"import": import_id}).rowcount == 1


def drop_pieces(connection: sa.Connection) -> None:
    """Delete the pieces of what nobody reads any more."""
    connection.execute(_DROP_PIECES)


def tidy(connection: sa.Connection) -> None:
    """Delete what nobody needs any more: pieces, uploads that broke off, old reports."""
    connection.execute(_GIVE_UP, {"after_s": RECEIVING_MAX_S})
    drop_pieces(connection)
    connection.execute(_FORGET, {"days": REPORT_DAYS})


def status(connection: sa.Connection, import_id: uuid.UUID) -> dict[str, Any] | None:
    """Return all that is said about an import."""
    row = connection.execute(_STATUS, {"import": import_id}).mappings().one_or_none()
    return None if row is None else dict(row)


def report(
    connection: sa.Connection, import_id: uuid.UUID, after: int = -1
) -> list[dict[str, Any]]:
    """Return the next refused rows after a line, a page of them: `line` and `violations`."""
    values = {"import": import_id, "after": after, "limit": _REPORT_PAGE}
    return [dict(row) for row in connection.execute(_REPORT, values).mappings()]


def pieces(engine: sa.Engine, import_id: uuid.UUID) -> Iterator[bytes]:
    """Yield the pieces of a file, in order; a short transaction each."""
    number = 0
    while True:
        with engine.connect() as connection:
            values = {"import": import_id, "number": number}
            content = connection.execute(_READ_PIECE, values).scalar_one_or_none()
        if content is None:
            return
        yield bytes(content)
        number += 1
