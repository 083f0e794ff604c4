"""The one way into the inbox: judges submissions by the registry in memory, stores the good ones.

Whatever brings them (an endpoint of a wire format, a page, a chat) is told receipts and refusals.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from services.ingest.formats.format import SINGLE_MAX_BYTES, Item, Parsed
from services.ingest.group_commit import GroupCommit
from services.ingest.meters import IngestMeters, Outcomes
from services.ingest.replies import FORBIDDEN, Accepted, RefusedItem, refusal_of_all
from services.ingest.watch import UNAVAILABLE, Watch
from shared.domain.submission.identity import receipt_texts
from shared.domain.violation import Violation
from shared.inbox.entry import Parcel
from shared.problems import Problem, Refused
from shared.registry.snapshot import Channel
from shared.registry.tickets import OPEN_KINDS, SANDBOX_KIND, TICKET_KIND, Admission, admission
from shared.wire import MOST_VIOLATIONS, Submission

BREATH = 1000  # effort before other requests get a turn: a submission is 1, its quarter KiB another
VIOLATIONS_MAX = 1000  # in an answer: of all its items, and those of the first once more
_BY_TICKET: Final = OPEN_KINDS | {TICKET_KIND}  # channels whose answers may need one
_TOO_LONG = Violation("", "length", "one submission may have 1 MiB")
_NAMELESS = Violation(
    "/id", "required", "is required (or the Idempotency-Key header of a single submission)"
)


class Judged(msgspec.Struct, gc=False):
    """What of a request can be stored, a parcel for each channel, and what is refused.

    Every refused item is named; when `room` is used up, without its violations. An answer with a
    ticket is stored under the channel of tickets, whatever channel it came through.
    """

    parcels: dict[str, Parcel] = {}
    channels: list[str] = []  # of each item that can be stored
    refused: list[RefusedItem] = []
    forbidden: int = 0  # of the refused
    room: int = VIOLATIONS_MAX - MOST_VIOLATIONS

    @property
    def truncated(self) -> bool:
        """Whether violations may be missing."""
        return self.room <= 0

    def take(self, channel: str, source_id: str, body: bytes) -> None:
        """Take an item."""
        parcel = self.parcels.get(channel)
        if parcel is None:
            parcel = self.parcels[channel] = Parcel(channel, 0, b"", [], [])
        parcel.ids.append(source_id)
        parcel.bodies.append(body)
        self.channels.append(channel)

    def receipts(self) -> list[str]:
        """Return the receipts of what can be stored, in the order of the request."""
        texts = {name: receipt_texts(parcel.receipts) for name, parcel in self.parcels.items()}
        if len(texts) == 1:
            return next(iter(texts.values()))
        of_channel = {name: iter(receipts) for name, receipts in texts.items()}
        return [next(of_channel[name]) for name in self.channels]

    def refuse(self, index: int, violations: Sequence[Violation]) -> None:
        """Refuse an item."""
        listed = violations[: self.room]
        self.room -= len(listed)
        self.refused.append(RefusedItem(index, listed))


class Acceptance:
    """Takes submissions in, for every way in."""

    def __init__(self, watch: Watch, commit: GroupCommit, meters: IngestMeters) -> None:
        self._watch = watch
        self._commit = commit
        self._meters = meters

    def outcomes(self, way: str) -> Outcomes:
        """Return the counts of one way in, by its name in the metrics."""
        return self._meters.outcomes(way)

    async def accept(self, channel: Channel, parsed: Parsed, outcomes: Outcomes) -> Accepted:
        """Store what is good of a request and return its receipts; Refused when nothing was."""
        if self._watch.refusal is not None:
            raise Refused(self._watch.refusal)
        judged = await self._judged(channel, parsed)
        is_counted = channel.kind != SANDBOX_KIND
        received_us = time.time_ns() // 1000
        for parcel in judged.parcels.values():
            parcel.received_us = received_us
            if not is_counted:
                maker = self._watch.receipt_maker()
                parcel.receipts = maker.receipts(parcel.channel, parcel.ids)
            elif not await self._commit.store(parcel):
                raise Refused(UNAVAILABLE)
        if is_counted:
            outcomes.accepted += len(judged.channels)
            outcomes.refused += len(judged.refused)
        return Accepted(
            len(judged.channels),
            judged.receipts(),
            judged.refused,
            judged.truncated,
            not is_counted,
        )

    async def _judged(self, channel: Channel, parsed: Parsed) -> Judged:
        judged = Judged()
        effort = 0
        for index, item in enumerate(parsed.items):
            effort += 1 + (len(item.body) >> 8)
            if effort > BREATH:
                effort = 0
                await asyncio.sleep(0)
            self._judge(index, item, channel, judged)
        if not judged.channels:
            raise Refused(_refusal_of_all(judged, is_batch=parsed.is_batch))
        return judged

    def _judge(self, index: int, item: Item, channel: Channel, judged: Judged) -> None:
        if len(item.body) > SINGLE_MAX_BYTES:
            judged.refuse(index, (replace(_TOO_LONG, pointer=item.pointer),))
            return
        submission = self._watch.decoder.decode(item.body, judged.room)
        violations: Sequence[Violation]
        if isinstance(submission, list) or item.violations:
            violations = _violations(item, submission)
        elif not channel.serves(submission.opd):
            detail = f"the key of channel {channel.name} may not send for this OPD"
            violations = (Violation(f"{item.pointer}/opd", FORBIDDEN, detail),)
            judged.forbidden += 1
        elif isinstance(admitted := self._admitted(item, submission, channel), Violation):
            violations = (replace(admitted, pointer=item.pointer + admitted.pointer),)
            judged.forbidden += 1
        elif (source_id := admitted.source_id or item.source_id or submission.id) is None:
            violations = (_NAMELESS,)
        else:
            judged.take(admitted.channel.name, source_id, item.body)
            return
        judged.refuse(index, violations)

    def _admitted(
        self, item: Item, submission: Submission, sender: Channel
    ) -> Admission | Violation:
        """Return where it is stored: under its ticket, where it came with one."""
        code = item.ticket or submission.ticket
        if code is None and sender.kind not in _BY_TICKET:
            return Admission(sender)
        return admission(
            self._watch.registry,
            sender,
            self._watch.today,
            opd=submission.opd,
            layanan=submission.layanan,
            code=code,
            replaces=submission.replaces,
        )


def _refusal_of_all(judged: Judged, *, is_batch: bool) -> Problem:
    is_forbidden = judged.forbidden == len(judged.refused)
    return refusal_of_all(
        judged.refused, is_batch=is_batch, is_forbidden=is_forbidden, truncated=judged.truncated
    )


def _violations(item: Item, submission: Submission | list[Violation]) -> Sequence[Violation]:
    """Return all that is wrong with an item: its envelope and, where readable, what it holds."""
    if not isinstance(submission, list) or (item.violations and not item.body):
        return item.violations
    inside = [
        replace(violation, pointer=item.pointer + violation.pointer) for violation in submission
    ]
    return [*item.violations, *inside]
