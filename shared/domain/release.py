"""The release rule: public figures move in steps of at least five changed responses.

A bin is a month, layanan and questionnaire of one OPD. The public sees a snapshot of its tally:

    candidate  the tally at some moment, a step or more past what is released
    release    the live tally is a step past the candidate: this is released, that one is next
    close      the month is over for some days: the live tally is released, if it is a step past

What is released moves by a step or more, and leaves a step or more behind, or nothing, until the
close. The leftovers of closed bins, each less than a step, are pooled with others of the OPD: those
of the month, then of the triwulan, the semester, the year, as soon as that is closed and they are a
step together. A pool is a bin of that period without a layanan. Every response is in one step of
one bin, and every public figure is a sum of bins: no combination of figures reaches into a step.

Decisions follow from the tallies and from which months are closed now, never from what the clock
said before: when it jumps, months close early or open again, and steps stay steps.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import reduce
from operator import add
from typing import Final, NamedTuple, Self

from shared.domain.tally import Tally
from shared.domain.window import period, periods_of

STEP: Final = 5  # changed responses, at least
CLOSE_DAYS: Final = 7  # days after a month until it is closed, where no setting says otherwise
# The least time between two steps of one bin of an open month: what is public need not follow each
# second.
BETWEEN_STEPS: Final = timedelta(seconds=10)
POOL: Final = ""  # stands for the layanan of a pool
_LEVELS: Final = 4  # of pools: month, triwulan, semester, year


class BinKey(NamedTuple):
    """The key of a bin of one OPD; of a pool, `layanan` is POOL and the period may be longer."""

    period: str
    layanan: str
    questionnaire: str


def changes(later: Tally, earlier: Tally) -> int:
    """Return by how many changed responses a tally is past an earlier one of the same bin.

    A response changes nothing but by being added: so it is the difference of the respondents.
    """
    return later.n - earlier.n


@dataclass(frozen=True, slots=True)
class Bin:
    """What became of the responses of a bin.

    `pooled`: what left it, by the period of the pool that took it. `left`: what the last close left
    out, until that is released; it tells that the public figure lacks something, and it never moves
    with a single response.
    """

    released: Tally
    candidate: Tally | None = None
    pooled: Mapping[str, Tally] = field(default_factory=dict)
    left: Tally | None = None
    steps: int = 0
    released_at: datetime | None = None

    @classmethod
    def empty(cls, size: int) -> Self:
        """Return the bin of a questionnaire with so many unsur before anything happened."""
        return cls(Tally.zero(size))

    def is_resting(self, now: datetime, between: timedelta) -> bool:
        """Tell whether its last step is less than so long ago."""
        return self.released_at is not None and now - between < self.released_at <= now

    def own(self, live: Tally) -> Tally:
        """Return what of the live tally did not leave the bin through a pool."""
        for tally in self.pooled.values():
            live -= tally
        return live

    def moved(self, live: Tally, now: datetime) -> Self:
        """Return the bin of an open month as the live tally lets it move."""
        own = self.own(live)
        if self.candidate is None:
            return replace(self, candidate=own) if self._is_step(own) else self
        if changes(own, self.candidate) < STEP:
            return self
        return replace(self._stepped(self.candidate, now), candidate=own)

    def closed(self, live: Tally, now: datetime) -> Self:
        """Return the bin of a closed month: all is released, or less than a step is left over."""
        own = self.own(live)
        if self._is_step(own):
            return self._stepped(own, now)
        return self if self.candidate is None else replace(self, candidate=None)

    def leftovers(self, live: Tally) -> Tally | None:
        """Return what of a closed month is not released; None if there is nothing to be pooled."""
        own = self.own(live)
        if changes(own, self.released) <= 0 or not own.includes(self.released):
            return None
        return own - self.released

    def pooled_in(self, pool: str, leftovers: Tally) -> Self:
        """Return the bin after its leftovers went to the pool of a period."""
        before = self.pooled.get(pool)
        together = leftovers if before is None else before + leftovers
        return replace(self, pooled={**self.pooled, pool: together}, left=None)

    def with_step(self, tally: Tally, now: datetime) -> Self:
        """Return the pool after it took so much."""
        return self._stepped(self.released + tally, now)

    def _is_step(self, own: Tally) -> bool:
        return changes(own, self.released) >= STEP

    def _stepped(self, snapshot: Tally, now: datetime) -> Self:
        return replace(
            self,
            released=snapshot,
            candidate=None,
            left=None,
            steps=self.steps + 1,
            released_at=now,
        )


Bins = Mapping[BinKey, Bin]  # of one OPD


def last_closed_day(today: date, close_days: int) -> date:
    """Return the last day of the months that are closed: those that ended more days ago."""
    return (today - timedelta(days=close_days)).replace(day=1) - timedelta(days=1)


def release(
    bins: Bins, live: Mapping[BinKey, Tally], closed_to: date, now: datetime, *, is_new_close: bool
) -> dict[BinKey, Bin]:
    """Return the bins of an OPD that move, given the live tallies of months that may have changed.

    `closed_to`: the last day of the closed months; they are given all or not at all.
    `is_new_close`: months were closed since the last time, and what that leaves out is noted.
    """
    moved: dict[BinKey, Bin] = {}
    leftovers: dict[BinKey, Tally] = {}
    for key, tally in live.items():
        before = bins.get(key) or Bin.empty(tally.size)
        if last_day(key.period) > closed_to:
            moved[key] = before.moved(tally, now)
            continue
        moved[key] = before.closed(tally, now)
        rest = moved[key].leftovers(tally)
        if rest is not None:
            leftovers[key] = rest
    for level in range(_LEVELS):
        for pool, keys in _by_pool(leftovers, level, closed_to).items():
            together = _sum(leftovers[key] for key in keys)
            if together.n < STEP:
                continue
            before = bins.get(pool) or Bin.empty(together.size)
            moved[pool] = before.with_step(together, now)
            for key in keys:
                moved[key] = moved[key].pooled_in(pool.period, leftovers.pop(key))
    if is_new_close:
        for key, rest in leftovers.items():
            moved[key] = replace(moved[key], left=rest)
    return {
        key: after
        for key, after in moved.items()
        if after != bins.get(key, Bin.empty(after.released.size))
    }


def last_day(name: str) -> date:
    """Return the last day of a period."""
    return period(name).last or date.max


def faults(bins: Bins, live: Mapping[BinKey, Tally]) -> Iterator[tuple[BinKey, str]]:
    """Yield in words what the rule cannot have made of the live tallies of an OPD."""
    for key, stored in bins.items():
        yield from ((key, fault) for fault in _faults_of_steps(stored))
        if key.layanan != POOL:
            tally = live.get(key) or Tally.zero(stored.released.size)
            yield from ((key, fault) for fault in _faults_of_month(stored, tally))
    given, taken = _given_to_pools(bins), {key for key in bins if key.layanan == POOL}
    for key in sorted(taken | given.keys()):
        pool = bins.get(key)
        if pool is None or pool.released != given.get(key):
            yield key, "the pool does not hold what left the months of its period for it"


def _faults_of_steps(stored: Bin) -> Iterator[str]:
    nothing = Tally.zero(stored.released.size)
    is_stepped = stored.steps > 0
    if stored.released.n < STEP * stored.steps or is_stepped != (stored.released != nothing):
        yield f"{stored.released.n} respondents were released in {stored.steps} steps"
    if is_stepped != (stored.released_at is not None):
        yield "a step has its time, and nothing else has"


def _faults_of_month(stored: Bin, live: Tally) -> Iterator[str]:
    own = stored.own(live)
    if not own.includes(stored.released):
        yield "more was released and pooled than is counted"
        return
    if stored.left is not None and not (own - stored.released).includes(stored.left):
        yield "more was left out than is not released"
    candidate = stored.candidate
    if candidate is None:
        return
    if not own.includes(candidate) or not candidate.includes(stored.released):
        yield "the candidate is not between what is released and what is counted"
    elif changes(candidate, stored.released) < STEP:
        yield "the candidate is less than a step past what is released"


def _given_to_pools(bins: Bins) -> dict[BinKey, Tally]:
    given: dict[BinKey, Tally] = {}
    for key, stored in bins.items():
        for name, tally in stored.pooled.items():
            # Only the pools of a month's own periods can hold what left it.
            name_of_pool = name if period(name).covers(period(key.period)) else f"{name} {key}"
            pool = BinKey(name_of_pool, POOL, key.questionnaire)
            given[pool] = given[pool] + tally if pool in given else tally
    return given


def _by_pool(
    leftovers: Iterable[BinKey], level: int, closed_to: date
) -> dict[BinKey, list[BinKey]]:
    """Return which leftovers belong to which pool of the closed periods of a level."""
    members: dict[BinKey, list[BinKey]] = {}
    for key in leftovers:
        name = periods_of(last_day(key.period))[level].name
        if last_day(name) <= closed_to:
            members.setdefault(BinKey(name, POOL, key.questionnaire), []).append(key)
    return members


def _sum(tallies: Iterable[Tally]) -> Tally:
    return reduce(add, tallies)
