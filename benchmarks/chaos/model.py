"""What must come of what was acknowledged: the tally and the index of every OPD and layanan.

An oracle of its own, in fractions: nothing of the product is asked how to count or to round.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import floor

from benchmarks.chaos.submissions import submission

UNSUR = 9
ALL = ""  # stands for all layanan of an OPD
Place = tuple[str, str]  # OPD, and layanan or ALL


@dataclass
class Expected:
    """What the responses of a place add up to."""

    respondents: int = 0
    scores: Counter[tuple[int, int]] = field(default_factory=Counter)  # by unsur and score
    total: int = 0
    total_sq: int = 0

    def add(self, answers: Mapping[str, int]) -> None:
        """Add a response."""
        own_total = sum(answers.values())
        self.respondents += 1
        self.total += own_total
        self.total_sq += own_total**2
        for unsur in range(UNSUR):
            self.scores[unsur, answers[f"U{unsur + 1}"]] += 1

    @property
    def numbers(self) -> tuple[int, int, int, tuple[int, ...]]:
        """Return respondents, totals, and the counts in the order of the day tallies."""
        counts = tuple(self.scores[unsur, score] for unsur in range(UNSUR) for score in range(1, 5))
        return self.respondents, self.total, self.total_sq, counts

    @property
    def nrr(self) -> list[Fraction]:
        """Return the mean score of each unsur."""
        return [
            Fraction(
                sum(score * self.scores[unsur, score] for score in range(1, 5)), self.respondents
            )
            for unsur in range(UNSUR)
        ]

    @property
    def ikm(self) -> Decimal | None:
        """Return the index, rounded half-up; none without respondents."""
        if not self.respondents:
            return None
        exact = 25 * sum(self.nrr) / UNSUR
        return Decimal(floor(exact * 100 + Fraction(1, 2))) / 100


def expected_of(source_ids: Iterable[str]) -> dict[Place, Expected]:
    """Return what these submissions, each counted once, add up to."""
    places: dict[Place, Expected] = {}
    for source_id in source_ids:
        sent = submission(source_id)
        for layanan in (sent["layanan"], ALL):
            places.setdefault((sent["opd"], layanan), Expected()).add(sent["answers"])
    return places
