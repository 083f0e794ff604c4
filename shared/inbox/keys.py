"""The names of the inbox in Redis, and how full it is."""

from dataclasses import dataclass

GROUP = "count"


@dataclass(frozen=True, slots=True)
class Depth:
    """How full the inbox is; `entries` are of the stream, the other numbers are submissions."""

    accepted: int
    settled: int
    entries: int
    oldest_age_s: float

    @property
    def waiting(self) -> int:
        """Submissions that are accepted and not settled."""
        return self.accepted - self.settled


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of the inbox's keys."""

    stream: str
    state: str

    @classmethod
    def of(cls, prefix: str) -> "Keys":
        """Return the keys under `prefix`."""
        return cls(stream=f"{prefix}inbox", state=f"{prefix}inbox:state")
