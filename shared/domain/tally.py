"""The tally: what a group of questionnaires adds up to, in integers only.

Tallies of one questionnaire add up: any grouping and order of the same responses gives the same
integers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import add, sub
from typing import Self

from shared.domain.errors import TallyMismatch
from shared.domain.questionnaire import SCORES


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of the scores of n questionnaires.

    `counts` has four integers per unsur, unsur by unsur: counts[4*u + score-1]. `complete`
    questionnaires answered every unsur; `total` and `total_sq` are the sum and the sum of squares,
    over those, of the respondent's weighted total Σ weight_u x score_u.
    """

    n: int
    counts: tuple[int, ...]
    complete: int
    total: int
    total_sq: int

    @classmethod
    def zero(cls, size: int) -> Self:
        """Return the tally of no questionnaire with so many unsur."""
        return cls(0, (0,) * (len(SCORES) * size), 0, 0, 0)

    @property
    def size(self) -> int:
        """The number of unsur."""
        return len(self.counts) // len(SCORES)

    @property
    def answered(self) -> tuple[int, ...]:
        """For each unsur, how many questionnaires answered it."""
        return tuple([a + b + c + d for a, b, c, d in self._by_unsur()])

    @property
    def score_sums(self) -> tuple[int, ...]:
        """For each unsur, the sum of its scores."""
        return tuple([a + 2 * b + 3 * c + 4 * d for a, b, c, d in self._by_unsur()])

    def __add__(self, other: Self) -> Self:
        """Return the tally of both groups together."""
        self._demand_same_size(other)
        return type(self)(
            self.n + other.n,
            tuple(map(add, self.counts, other.counts)),
            self.complete + other.complete,
            self.total + other.total,
            self.total_sq + other.total_sq,
        )

    def __sub__(self, other: Self) -> Self:
        """Return the tally of this group without the other, which was a part of it."""
        self._demand_same_size(other)
        return type(self)(
            self.n - other.n,
            tuple(map(sub, self.counts, other.counts)),
            self.complete - other.complete,
            self.total - other.total,
            self.total_sq - other.total_sq,
        )

    def includes(self, other: Self) -> bool:
        """Tell whether the other group can be a part of this one: no number of it is greater."""
        rest = self - other
        return min(rest.n, rest.complete, rest.total, rest.total_sq, *rest.counts) >= 0

    def _by_unsur(self) -> Iterator[tuple[int, int, int, int]]:
        counts = self.counts
        return zip(counts[0::4], counts[1::4], counts[2::4], counts[3::4], strict=True)

    def _demand_same_size(self, other: Self) -> None:
        if len(self.counts) != len(other.counts):
            raise TallyMismatch(f"{self.size} and {other.size} unsur")
