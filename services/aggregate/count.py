"""Counts claimed inbox entries: one transaction, after which each submission is a response, a duplicate or parked.

    entries ─► judge ─► receipts (what is new?) ─► responses · parked ─► day tallies ─► stale OPDs ─► ledger ─► commit

Every repetition is harmless: of an entry (the ledger knows it), of a submission (its receipt is there). Settling the
inbox comes after the commit and is not needed for it.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

import psycopg
import sqlalchemy as sa

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
    """One submission of an entry (by its index), and what the registry says of it."""

    entry: int
    claim: Claim
    body: bytes
    verdict: Countable | Parkable


class Counted(NamedTuple):
    """What a batch came to."""

    counted: int
    duplicate: int
    parked: int


def count(engine: sa.Engine, judge: Judge, entries: Sequence[Entry], epoch: UUID, now: datetime) -> Counted:
    """Count `entries` in one transaction. Raises what the database raises; nothing is then counted."""
    with transaction(engine) as connection:
        cursor = open_cursor(connection)
        known = ledger.known(cursor, [entry.entry for entry in entries])
        fresh = list({entry.entry: entry for entry in entries if entry.entry not in known}.values())
        submitted = [item for index, entry in enumerate(fresh) for item in _submitted(judge, index, entry)]
        new = _enter(cursor, submitted)
        write(cursor, new, judge.day(_microseconds(now)))
        outcomes = _outcomes(fresh, submitted, new)
        if outcomes:
            ledger.enter(cursor, epoch, now, outcomes)
    return Counted(
        sum(outcome.counted for outcome in outcomes),
        sum(outcome.duplicate for outcome in outcomes),
        sum(outcome.parked for outcome in outcomes),
    )


def write(cursor: Cursor, new: Sequence[Submitted], today: date) -> None:
    """Write what new submissions came to: responses with their tallies, and the parked ones."""
    counted = [(item, item.verdict) for item in new if isinstance(item.verdict, Countable)]
    parked = [parked_row(item, item.verdict) for item in new if isinstance(item.verdict, Parkable)]
    if parked:
        parking.park(cursor, parked)
    if counted:
        write_responses(cursor, [(item.claim.receipt, verdict) for item, verdict in counted], today)


def write_responses(cursor: Cursor, counted: Sequence[tuple[bytes, Countable]], today: date) -> None:
    """Write responses and add them to the tallies."""
    responses.copy(
        cursor,
        (responses.Response(receipt, v.place, v.answered_us, v.scores, v.profile, v.comment) for receipt, v in counted),
    )
    verdicts = sorted((verdict for _, verdict in counted), key=_questionnaire_code)
    for _, group in groupby(verdicts, key=_questionnaire_code):
        of_one = list(group)
        deltas = tally(
            of_one[0].questionnaire,
            [verdict.place for verdict in of_one],
            [verdict.profile for verdict in of_one],
            [verdict.scores for verdict in of_one],
        )
        tallies.add(cursor, deltas)
    touched: dict[str, bool] = {}
    for place in {verdict.place for verdict in verdicts}:
        touched[place.opd] = touched.get(place.opd, False) or place.day < today
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


def _submitted(judge: Judge, index: int, entry: Entry) -> Iterator[Submitted]:
    if entry.parcels is None:
        yield _foreign(index, entry)
        return
    for parcel in entry.parcels:
        channel, received_us = parcel.channel, parcel.received_us
        for at, (source_id, body) in enumerate(zip(parcel.ids, parcel.bodies, strict=True)):
            verdict = judge.judge(body, channel, received_us)
            reason = "" if isinstance(verdict, Countable) else verdict.reason
            receipt = parcel.receipts[16 * at : 16 * at + 16]
            claim = Claim(receipt, channel, source_id, received_us, reason, verdict.digest)
            yield Submitted(index, claim, body, verdict)


def _foreign(index: int, entry: Entry) -> Submitted:
    verdict = Parkable([Violation("", UNREADABLE, "an inbox entry that this service did not write")], digest(entry.raw))
    received_us = entry.position[0] * 1000
    claim = Claim(entry.entry.bytes, FOREIGN_CHANNEL, entry.stream_id.decode(), received_us, UNREADABLE, verdict.digest)
    return Submitted(index, claim, entry.raw, verdict)


def _enter(cursor: Cursor, submitted: Sequence[Submitted]) -> list[Submitted]:
    """Enter the receipts; the submissions that were new, and those that reuse an id for another content."""
    if not submitted:
        return []
    fresh = receipts.insert(cursor, [item.claim for item in submitted])
    if fresh is None:
        return list(submitted)
    new: list[Submitted] = []
    again: list[Submitted] = []
    for item in submitted:  # of equal receipts the first one is the new one
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
    fresh = receipts.insert(cursor, [item.claim for item in distinct])
    return distinct if fresh is None else [item for item in distinct if item.claim.receipt in fresh]


def _conflict(item: Submitted) -> Submitted:
    claim = item.claim
    violation = Violation("/id", CONFLICT, "this id was used before, for another content")
    receipt = receipt_bytes(claim.receipt, f"{claim.digest:x}")
    verdict = Parkable([violation], claim.digest)
    return item._replace(claim=claim._replace(receipt=receipt, reason=CONFLICT), verdict=verdict)


def _outcomes(
    entries: Sequence[Entry], submitted: Sequence[Submitted], new: Sequence[Submitted]
) -> list[ledger.Outcome]:
    accepted, counted, parked = ([0] * len(entries) for _ in range(3))
    for item in submitted:
        accepted[item.entry] += 1
    for item in new:
        (counted if isinstance(item.verdict, Countable) else parked)[item.entry] += 1
    return [
        ledger.Outcome(
            entry.entry,
            entry.position,
            accepted[index],
            counted[index],
            accepted[index] - counted[index] - parked[index],
            parked[index],
        )
        for index, entry in enumerate(entries)
    ]


def _questionnaire_code(verdict: Countable) -> str:
    return verdict.questionnaire.code


def _microseconds(now: datetime) -> int:
    return round(now.timestamp() * 1_000_000)
