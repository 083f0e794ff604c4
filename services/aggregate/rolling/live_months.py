"""The live tallies of an OPD month by month: what the release rule is applied to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import Self

from services.aggregate.rolling.segments import Calendar
from shared.domain.release import BinKey
from shared.domain.window import periods_of
from shared.storage.tallies.tally_sums import MonthSum, Vector

MonthVectors = Mapping[BinKey, Vector]


@dataclass(frozen=True, slots=True)
class LiveMonths:
    """The sums of an OPD by month, layanan and questionnaire, of settled and unsettled days."""

    settled: MonthVectors
    unsettled: MonthVectors

    @classmethod
    def of(cls, sums: Sequence[MonthSum], calendar: Calendar) -> Self:
        """Return the months of all sums of an OPD."""
        settled = [month_sum for month_sum in sums if calendar.is_settled(month_sum.segment)]
        unsettled = [month_sum for month_sum in sums if not calendar.is_settled(month_sum.segment)]
        return cls(_by_bin(settled), _by_bin(unsettled))

    def with_unsettled(self, sums: Iterable[MonthSum]) -> Self:
        """Return the months with these sums of the unsettled days instead."""
        return type(self)(self.settled, _by_bin(sums))

    def recent(self) -> dict[BinKey, Vector]:
        """Return the months that have unsettled days, whole."""
        return {
            key: tuple(map(add, vector, self.settled[key])) if key in self.settled else vector
            for key, vector in self.unsettled.items()
        }

    def whole(self) -> dict[BinKey, Vector]:
        """Return all months."""
        return {**self.settled, **self.recent()}


NO_MONTHS = LiveMonths({}, {})


def _by_bin(sums: Iterable[MonthSum]) -> dict[BinKey, Vector]:
    vectors: dict[BinKey, Vector] = {}
    for month_sum in sums:
        month = periods_of(month_sum.month)[0].name
        key = BinKey(month, month_sum.layanan, month_sum.questionnaire)
        before = vectors.get(key)
        vector = month_sum.vector
        vectors[key] = vector if before is None else tuple(map(add, before, vector))
    return vectors
