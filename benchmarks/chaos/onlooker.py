"""Somebody without a key who looks at the public figures again and again while the storm rages."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import pairwise
from threading import Event

from benchmarks.chaos.model import ALL, Expected, Place
from benchmarks.chaos.submissions import LAYANAN
from services.ops.client import Client

LEAST = 5  # respondents by which a public figure moves, and below which there is none
PAUSE_S = 0.3
TIMEOUT_S = 5.0
PLACES: tuple[Place, ...] = tuple(
    (opd, layanan) for opd, several in LAYANAN.items() for layanan in (ALL, *several)
)


@dataclass
class Onlooker:
    """What was seen: the respondents of each place, one after the other."""

    seen: dict[Place, list[int]] = field(default_factory=lambda: defaultdict(list))

    def look(self, url: str, over: Event) -> None:
        """Ask for every place until the storm is over."""
        with Client(url, timeout_s=TIMEOUT_S) as client:
            while not over.wait(PAUSE_S):
                for place in PLACES:
                    self._look_at(client, place)

    def _look_at(self, client: Client, place: Place) -> None:
        answer = client.get(path_of(place))
        if answer.status != HTTPStatus.OK:
            return
        body = json.loads(answer.body)
        respondents = body["respondents"] or 0
        if body.get("view") == "public" and self.seen[place][-1:] != [respondents]:
            self.seen[place].append(respondents)

    def faults(self, expected: Mapping[Place, Expected]) -> Iterator[str]:
        """Yield where a public figure moved by a few, or says more than was counted."""
        for place, numbers in sorted(self.seen.items()):
            name = "/".join(place)
            moves = [after - before for before, after in pairwise([0, *numbers])]
            if any(0 < abs(move) < LEAST for move in moves):
                yield f"the public figure of {name} moved by less than {LEAST}: {numbers}"
            counted = expected[place].respondents if place in expected else 0
            if max(numbers) > counted:
                yield f"{max(numbers)} of {name} were public, {counted} are counted"


def path_of(place: Place) -> str:
    """Return the path of the index of a place over all days."""
    opd, layanan = place
    path = f"/v1/opd/{opd}/ikm?window=all"
    return path if layanan == ALL else f"{path}&layanan={layanan}"
