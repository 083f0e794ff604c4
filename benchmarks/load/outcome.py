"""What a load came to: the answers by status, and how long each took."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.load.connection import STATUS, LoadFailed


@dataclass(frozen=True, slots=True)
class Outcome:
    """How long one load took, its answers by status, their latencies (ascending).

    `bodies` holds the first body of each status.
    """

    seconds: float
    statuses: Mapping[int, int]
    latencies_s: Sequence[float]
    bodies: Mapping[int, bytes]

    @property
    def answers(self) -> int:
        """How many requests were answered."""
        return len(self.latencies_s)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds

    def latency_ms(self, share: float) -> float:
        """Return the latency that `share` (0 to 1) of the answers did not exceed."""
        return percentile(self.latencies_s, share) * 1000

    def expect(self, status: int) -> "Outcome":
        """Return this outcome when every answer had `status`; LoadFailed otherwise."""
        if set(self.statuses) != {status}:
            raise LoadFailed(
                f"expected nothing but {status}, got {dict(self.statuses)}, "
                f"such as {dict(self.bodies)}"
            )
        return self


def percentile(ascending: Sequence[float], share: float) -> float:
    """Return the least value that `share` of the values do not exceed (nearest rank)."""
    return ascending[max(0, -int(-share * len(ascending) // 1) - 1)]


class Tally:
    """What came back: fed with every answer, on the way to an Outcome."""

    __slots__ = ("_bodies", "_latencies_s", "_statuses")

    def __init__(self) -> None:
        self._latencies_s: list[float] = []
        self._statuses: Counter[bytes] = Counter()
        self._bodies: dict[bytes, bytes] = {}

    def add(self, latency_s: float, head: bytes, body: bytes) -> None:
        """Note one answer."""
        status = head[STATUS]
        self._latencies_s.append(latency_s)
        self._statuses[status] += 1
        if status not in self._bodies:
            self._bodies[status] = body

    def outcome(self, seconds: float) -> Outcome:
        """Return all of it."""
        statuses = {int(status): number for status, number in self._statuses.items()}
        bodies = {int(status): body[:500] for status, body in self._bodies.items()}
        return Outcome(seconds, statuses, sorted(self._latencies_s), bodies)
