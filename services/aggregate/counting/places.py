"""Finds where submissions are counted: OPD, layanan, local day, questionnaire and channel."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

import numpy as np

from services.aggregate.counting.columns import IntColumn, numbered
from services.aggregate.counting.decode import DecodedSubmissions
from shared.domain.questionnaire import TOTAL_WEIGHT_MAX
from shared.domain.violation import Violation
from shared.domain.window import local_day
from shared.registry.snapshot import Registry
from shared.storage.responses import Place
from shared.wire import MOST_REMEMBERED, Destination

_BLOCK_US = 15 * 60 * 1_000_000
# 1980: since then every zone is a multiple of 15 minutes from UTC.
_BLOCKS_FROM_US = 10 * 366 * 24 * 3600 * 1_000_000
_NO_CODE = Violation("", "invalid", "holds a code that cannot be one")
_OVERWEIGHT = Violation(
    "/questionnaire",
    "overweight-questionnaire",
    f"has weights of more than {TOTAL_WEIGHT_MAX:,} together",
)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class PlaceFinder:
    """Finds places in one registry snapshot, and remembers them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._zone = registry.instansi.zone
        self._place = lru_cache(MOST_REMEMBERED)(self._find)

    def places(
        self, decoded: DecodedSubmissions, channels: Sequence[str], answered_us: IntColumn
    ) -> tuple[Sequence[Place | Violation], IntColumn]:
        """Return the distinct places, or why there is none, and the index of each submission's."""
        channel_names, channel_index = numbered(channels)
        days, day_index = self._days(answered_us)
        distinct, place_index = numbered(
            list(
                zip(
                    decoded.destination_index.tolist(),
                    channel_index.tolist(),
                    day_index.tolist(),
                    strict=True,
                )
            )
        )
        places = [
            self._place(decoded.destinations[destination], days[day], channel_names[channel])
            for destination, channel, day in distinct
        ]
        return places, place_index

    def day(self, instant_us: int) -> date:
        """Return the day of an instant (microseconds since 1970) in the instansi's zone."""
        return local_day(_EPOCH + timedelta(microseconds=instant_us), self._zone)

    def _days(self, instants_us: IntColumn) -> tuple[Sequence[date], IntColumn]:
        """Return the distinct local days of instants, and of each instant the index of its day.

        A block of 15 minutes lies within one day: to ask for the day of every second would cost
        a worker a quarter more (3.6 of 13 us a response).
        """
        begins_us = np.where(
            instants_us < _BLOCKS_FROM_US, instants_us, instants_us // _BLOCK_US * _BLOCK_US
        )
        blocks_us, block_index = np.unique(begins_us, return_inverse=True)
        days, day_of_block = numbered([self.day(begin_us) for begin_us in blocks_us.tolist()])
        return days, day_of_block[block_index]

    def _find(self, destination: Destination | None, day: date, channel: str) -> Place | Violation:
        if destination is None:
            return _NO_CODE
        refusal = self._refusal(destination, day)
        if refusal is not None:
            return refusal
        questionnaire = destination.answers_decoder.questionnaire
        if questionnaire is None:
            return Violation("/questionnaire", "unknown-questionnaire", "is not in the registry")
        if questionnaire.total_weight > TOTAL_WEIGHT_MAX:  # applied before there was a limit
            return _OVERWEIGHT
        return Place(destination.opd, destination.layanan, day, questionnaire.code, channel)

    def _refusal(self, destination: Destination, day: date) -> Violation | None:
        """Return why nothing is counted for this OPD and layanan on this day, if so."""
        opd = self._registry.opd.get(destination.opd)
        if opd is None:
            return Violation("/opd", "unknown-opd", "is not in the registry")
        if not opd.is_open(day):
            return Violation("/opd", "closed-opd", "was not open on that day")
        layanan = opd.layanan.get(destination.layanan)
        if layanan is None:
            return Violation("/layanan", "unknown-layanan", "is not a service of this OPD")
        if not layanan.is_open(day):
            return Violation("/layanan", "closed-layanan", "was not open on that day")
        return None
