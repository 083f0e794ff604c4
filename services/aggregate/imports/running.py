"""Reads one import from where it was left to its end, batch by batch.

A batch is delivered to the inbox and then noted. Who is killed in between leaves a batch that is
delivered once more, under the same ids: the inbox counts it once.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from redis import Redis

from services.aggregate.imports.delivery import Delivery, NoMore
from services.aggregate.imports.opening import OpenedFile, open_file
from services.aggregate.imports.options import ImportOptions
from services.aggregate.imports.reading.table import FileFault
from shared.inbox.sender import Sender
from shared.registry.snapshot import Registry
from shared.settings import Settings
from shared.storage.engine import transaction
from shared.storage.imports import files, holding
from shared.storage.imports.holding import TRIES_MAX, Advance, ClaimedImport
from shared.storage.registry import stored_registry

log = logging.getLogger(__name__)

BATCH_ROWS: Final = 5_000
_EXHAUSTED: Final = (
    "unreadable",
    "the workers that read the file were lost, each on the same rows: is it damaged?",
)


@dataclass(frozen=True, slots=True)
class Workplace:
    """What reading needs. `poke` tells the counting workers."""

    engine: sa.Engine
    redis: Redis
    settings: Settings
    poke: Callable[[], None]


def run_next(place: Workplace) -> bool:
    """Read the oldest import that nobody reads; False when there is none."""
    with transaction(place.engine) as connection:
        claimed = holding.claim(connection, uuid.uuid4())
        registry = stored_registry.load_with_secret(connection)
    if claimed is None:
        return False
    log.info("an import begins", extra={"import": str(claimed.import_id), "rows": claimed.rows})
    try:
        fault = _read(place, registry, claimed)
    except NoMore:
        log.info("an import was taken away", extra={"import": str(claimed.import_id)})
        return True
    with transaction(place.engine) as connection:
        holding.finish(connection, claimed, fault)
    log.info("an import ends", extra={"import": str(claimed.import_id), "fault": fault})
    return True


def _read(place: Workplace, registry: Registry, claimed: ClaimedImport) -> tuple[str, str] | None:
    """Read to the end; return why that cannot be done. Raises NoMore."""
    channel = registry.channels.get(claimed.channel)
    if channel is None:
        return "channel", "the channel is not in the registry any more"
    if claimed.tries > TRIES_MAX:
        return _EXHAUSTED
    options = ImportOptions.of(claimed.options)
    reading = _Reading(place, claimed, options, registry.secret)
    try:
        content = files.pieces(place.engine, claimed.import_id)
        opened = open_file(content, options, registry, channel)
        reading.note_assumed(opened)
        reading.pass_over(opened)
        reading.go_on(opened)
    except FileFault as fault:
        return fault.code, fault.detail
    return None


class _Reading:
    """One claim of one import."""

    def __init__(
        self, place: Workplace, claimed: ClaimedImport, options: ImportOptions, secret: bytes
    ) -> None:
        self._place = place
        self._claimed = claimed
        self._is_dry = options.dry_run
        self._rows = claimed.rows
        self._read_bytes = 0
        self._delivery = Delivery(
            Sender(place.redis, place.settings.redis_prefix),
            secret,
            place.settings.inbox_limit // 2,
            self._hold,
            place.poke,
        )

    def note_assumed(self, opened: OpenedFile) -> None:
        """Say what was assumed about the file."""
        with transaction(self._place.engine) as connection:
            holding.assume(connection, self._claimed, opened.table.assumed)

    def pass_over(self, opened: OpenedFile) -> None:
        """Pass over the rows that are done with."""
        left = self._claimed.rows
        while left and (rows := opened.rows(min(left, BATCH_ROWS))):
            opened.converter.pass_over(rows)
            left -= len(rows)
            if not self._hold():
                raise NoMore

    def go_on(self, opened: OpenedFile) -> None:
        """Deliver the rest, and note each batch."""
        while rows := opened.rows(BATCH_ROWS):
            converted = opened.converter.convert(rows)
            if not self._is_dry:
                self._delivery.deliver(
                    self._claimed.channel,
                    self._claimed.created_us,
                    converted.ids,
                    converted.bodies,
                )
            self._rows += len(rows)
            self._read_bytes = opened.table.read_bytes()
            accepted = len(converted.ids)
            step = Advance(self._rows, self._read_bytes, accepted, converted.refusals)
            self._note(step)
        self.note_assumed(opened)

    def _note(self, step: Advance) -> None:
        with transaction(self._place.engine) as connection:
            if not holding.advance(connection, self._claimed, step):
                raise NoMore

    def _hold(self) -> bool:
        step = Advance(self._rows, self._read_bytes, 0, ())
        with transaction(self._place.engine) as connection:
            return holding.advance(connection, self._claimed, step)
