"""Counts claimed inbox entries: one transaction, after which each submission is a response, a duplicate or parked.

    entries ─► judge ─► receipts (what is new?) ─► responses · parked ─► day tallies ─► stale OPDs ─► ledger ─► commit

Every repetition is harmless: of an entry (the ledger knows it), of a submission (its receipt is there). Settling the
inbox comes after the commit and is not needed for it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import psycopg
import sqlalchemy as sa
from msgspec.structs import astuple

from services.aggregate.judge import Countable, Judge, Parkable, digest
from services.aggregate.tallying import tally
from shared.domain.check import Violation
from shared.domain.submission import receipt_bytes
from shared.inbox import Entry
from shared.storage import binary, ledger, parking, receipts, responses, tallies
from shared.storage.engine import transaction
from shared.storage.receipts import Claim, Cursor

CONFLICT = "id-conflict"
UNREADABLE = "unreadable-entry"
FOREIGN_CHANNEL = "inbox"


class Submitted(NamedTuple):
    """One submission of an entry, and what the registry says of it."""

    entry: UUID
    claim: Claim
    body: bytes
    verdict: Countable | Parkable
    row: bytes  # of the table `response`, ready to be written; empty when it is parked


class Batch(NamedTuple):
    """Claimed entries, judged: everything that can be done without the database."""

    entries: Sequence[Entry]
    submitted: Sequence[Submitted]
    claims: receipts.Claims  # of all of them, ready to be entered
    epoch: UUID  # the life of the inbox that they were claimed in


NOTHING = Batch((), (), receipts.prepared(()), UUID(int=0))


class Counted(NamedTuple):
    """What a batch came to."""

    counted: int
    duplicate: int
    parked: int


def judged(judge: Judge, entries: Iterable[Entry], epoch: UUID) -> Batch:
    """Judge the submissions of entries; an entry that was claimed twice counts once."""
    distinct = list({entry.entry: entry for entry in entries}.values())
    return _batch(distinct, [item for entry in distinct for item in _submitted(judge, entry)], epoch)


def count(engine: sa.Engine, batch: Batch, now: datetime, today: date) -> Counted:
    """Count a batch in one transaction. Raises what the database raises; nothing is then counted."""
    with transaction(engine) as connection:
        cursor = open_cursor(connection)
        batch = _unknown(cursor, batch)
        new = _enter(cursor, batch)
        _write(cursor, new, today)
        outcomes = _outcomes(batch.entries, batch.submitted, new)
        if outcomes:
            ledger.enter(cursor, batch.epoch, now, outcomes)
    return Counted(
        sum(outcome.counted for outcome in outcomes),
        sum(outcome.duplicate for outcome in outcomes),
        sum(outcome.parked for outcome in outcomes),
    )


def write_responses(cursor: Cursor, counted: Sequence[tuple[bytes, Countable]], today: date) -> None:
    """Write responses, each with its receipt, and add them to the tallies."""
    responses.copy(cursor, [responses.row(receipt, verdict) for receipt, verdict in counted])
    _add(cursor, [verdict for _, verdict in counted], today)


def _write(cursor: Cursor, new: Sequence[Submitted], today: date) -> None:
    """Write what new submissions came to: responses with their tallies, and the parked ones."""
    verdicts = [item.verdict for item in new if isinstance(item.verdict, Countable)]
    if verdicts:
        responses.copy(cursor, [item.row for item in new if item.row])
        _add(cursor, verdicts, today)
    parked = [parked_row(item, item.verdict) for item in new if isinstance(item.verdict, Parkable)]
    if parked:
        parking.park(cursor, parked)


def _add(cursor: Cursor, verdicts: Sequence[Countable], today: date) -> None:
    touched: dict[str, bool] = {}
    # In the order of their codes, else two workers could wait for each other's rows.
    for code, questionnaire in sorted({one.questionnaire.code: one.questionnaire for one in verdicts}.items()):
        of_one = [verdict for verdict in verdicts if verdict.questionnaire.code == code]
        places, _, _, scores, profiles = zip(*(verdict[:5] for verdict in of_one), strict=True)
        deltas = tally(questionnaire, places, profiles, scores)
        tallies.add(cursor, deltas)
        for key in deltas.keys:
            touched[key.opd] = touched.get(key.opd, False) or key.day < today
    tallies.touch(cursor, list(touched.items()))


def parked_row(item: Submitted, verdict: Parkable) -> parking.Parked:
    """The row of a submission that must wait."""
    claim = item.claim
    return parking.Parked(
        claim.receipt, claim.channel, claim.source_id, claim.received_us, claim.reason, verdict.violations, item.body
    )


def open_cursor(connection: sa.Connection) -> Cursor:
    """A psycopg cursor of the transaction, which takes and gives binary values."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the engine must use psycopg")
    binary.register(raw)
    return raw.cursor(binary=True)


def _unknown(cursor: Cursor, batch: Batch) -> Batch:
    """The batch without the entries that were counted already."""
    known = ledger.known(cursor, [entry.entry for entry in batch.entries])
    if not known:
        return batch
    return _batch(
        [entry for entry in batch.entries if entry.entry not in known],
        [item for item in batch.submitted if item.entry not in known],
        batch.epoch,
    )


def _batch(entries: Sequence[Entry], submitted: Sequence[Submitted], epoch: UUID) -> Batch:
    return Batch(entries, submitted, receipts.prepared([item.claim for item in submitted]), epoch)


def _submitted(judge: Judge, entry: Entry) -> Iterator[Submitted]:
    if entry.parcels is None:
        yield _foreign(entry)
        return
    judge_one, identity = judge.judge, entry.entry
    for channel, received_us, receipt_column, ids, bodies in map(astuple, entry.parcels):
        for at, (source_id, body) in enumerate(zip(ids, bodies, strict=True)):
            verdict = judge_one(body, channel, received_us)
            receipt = receipt_column[16 * at : 16 * at + 16]
            claim = Claim(receipt, channel, source_id, received_us, verdict.reason, verdict.digest)
            row = responses.row(receipt, verdict) if isinstance(verdict, Countable) else b""
            yield Submitted(identity, claim, body, verdict, row)


def _foreign(entry: Entry) -> Submitted:
    foreign = Violation("", UNREADABLE, "an inbox entry that this service did not write")
    verdict = Parkable([foreign], UNREADABLE, digest(entry.raw))
    received_us = entry.position[0] * 1000
    source_id = entry.stream_id.decode()
    claim = Claim(entry.entry.bytes, FOREIGN_CHANNEL, source_id, received_us, UNREADABLE, verdict.digest)
    return Submitted(entry.entry, claim, entry.raw, verdict, b"")


def _enter(cursor: Cursor, batch: Batch) -> list[Submitted]:
    """Enter the receipts; the submissions that were new, and those that reuse an id for another content."""
    if not batch.submitted:
        return []
    fresh = receipts.insert(cursor, batch.claims)
    if fresh is None:
        return list(batch.submitted)
    new: list[Submitted] = []
    again: list[Submitted] = []
    for item in batch.submitted:  # of equal receipts the first one is the new one
        if item.claim.receipt in fresh:
            fresh.remove(item.claim.receipt)
            new.append(item)
        else:
            again.append(item)
    return new + _conflicts(cursor, again)


def _conflicts(cursor: Cursor, again: Sequence[Submitted]) -> list[Submitted]:
    """Of submissions whose receipt was known, those with another content: parked under a receipt of their own."""
    digests = receipts.digests(cursor, sorted({item.claim.receipt for item in again}))
    others = [
        _conflict(item) for item in again if digests.get(item.claim.receipt, item.claim.digest) != item.claim.digest
    ]
    if not others:
        return []
    distinct = list({item.claim.receipt: item for item in others}.values())
    fresh = receipts.insert(cursor, receipts.prepared([item.claim for item in distinct]))
    return distinct if fresh is None else [item for item in distinct if item.claim.receipt in fresh]


def _conflict(item: Submitted) -> Submitted:
    claim = item.claim
    violation = Violation("/id", CONFLICT, "this id was used before, for another content")
    receipt = receipt_bytes(claim.receipt, f"{claim.digest:x}")
    verdict = Parkable([violation], CONFLICT, claim.digest)
    return item._replace(claim=claim._replace(receipt=receipt, reason=CONFLICT), verdict=verdict, row=b"")


def _outcomes(
    entries: Sequence[Entry], submitted: Sequence[Submitted], new: Sequence[Submitted]
) -> list[ledger.Outcome]:
    accepted = Counter(item.entry for item in submitted)
    counted = Counter(item.entry for item in new if not item.claim.reason)
    parked = Counter(item.entry for item in new if item.claim.reason)
    return [
        ledger.Outcome(
            entry.entry,
            entry.position,
            accepted[entry.entry],
            counted[entry.entry],
            accepted[entry.entry] - counted[entry.entry] - parked[entry.entry],
            parked[entry.entry],
        )
        for entry in entries
    ]
