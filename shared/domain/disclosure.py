"""Which cells of a public breakdown are withheld, so that nobody's answers can be worked out.

A breakdown cuts the same people two ways: into parts whose totals are public (layanan-months of an
OPD, OPDs of the instansi), and into the values of a facet, whose cells are public unless withheld.
Whoever adds and subtracts public numbers gives each person the weight x(part) + y(value), with one
y for all withheld values. The result is the tally of a group when that is 1 for the group and 0 for
everybody else.

Draw parts and values as points, and everybody as an arrow from their part to their value. Such a
group is all that leaves a set of points which no arrow enters. So no group of one to four can be
worked out exactly when, for every arrow, at least five people would have to be taken away to cut
its part off from its value, arrows being free to follow backwards: a maximum flow tells.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Hashable, Mapping
from typing import Final

FEWEST: Final = 5  # people in whatever can be worked out

Cell = tuple[Hashable, Hashable]  # a part and a value
People = Mapping[Cell, int]  # how many are in a part and of a value
_Step = tuple[Cell, int]
_FORWARDS, _BACKWARDS = 1, -1
_WITHHELD: Final = object()  # the point that all withheld values are


def withheld(people: People, public: Collection[Hashable] = ()) -> frozenset[Hashable]:
    """Return the values to withhold: those under five, then the smallest others until it is safe.

    `public` are those that are shown already and cannot be withheld any more.
    """
    sizes = {value: n for value, n in _sizes(people).items() if n and value not in public}
    hidden = {value for value, n in sizes.items() if n < FEWEST}
    for value in sorted(sizes, key=lambda value: sizes[value]):
        if is_safe(people, hidden):
            break
        hidden.add(value)
    return frozenset(hidden)


def is_safe(people: People, hidden: Collection[Hashable]) -> bool:
    """Tell whether no group of one to four can be worked out when these values are withheld."""
    graph = _Graph(people, hidden)
    return all(graph.flow(part, value) >= FEWEST for part, value in graph.small_arrows())


def may_be_added(changes: People, hidden: Collection[Hashable]) -> bool:
    """Tell whether a public breakdown may be replaced by one that these people are added to.

    Whoever kept the old one knows what was added: to every cell, withheld or not, nobody or at
    least five people; and no small group can be worked out of it. The withheld values stay so.
    """
    is_enough = all(n == 0 or n >= FEWEST for n in _sizes(changes).values())
    return is_enough and is_safe(changes, hidden)


def _sizes(people: People) -> dict[Hashable, int]:
    sizes: defaultdict[Hashable, int] = defaultdict(int)
    for (_, value), n in people.items():
        sizes[value] += n
    return sizes


class _Graph:
    """Parts and shown values as points, people as arrows."""

    def __init__(self, people: People, hidden: Collection[Hashable]) -> None:
        self._people: defaultdict[Hashable, dict[Hashable, int]] = defaultdict(dict)
        self._parts: defaultdict[Hashable, list[Hashable]] = defaultdict(list)
        for (part, value), n in people.items():
            if n:
                point = _WITHHELD if value in hidden else value
                if point not in self._people[part]:
                    self._parts[point].append(part)
                self._people[part][point] = self._people[part].get(point, 0) + n

    def small_arrows(self) -> list[Cell]:
        """Return the arrows of fewer than five: a group of one to four takes at least one whole."""
        return [
            (part, value)
            for part, values in self._people.items()
            for value, n in values.items()
            if n < FEWEST
        ]

    def flow(self, source: Hashable, target: Hashable) -> int:
        """Return how many people can flow from a part to a value, five at most."""
        used: defaultdict[Cell, int] = defaultdict(int)
        total = 0
        while total < FEWEST and (way := self._way(source, target, used)):
            room = min(
                self._people[part][value] - used[part, value]
                for (part, value), direction in way
                if direction == _FORWARDS
            )
            for cell, direction in way:
                used[cell] += direction * room
            total += room
        return min(total, FEWEST)

    def _way(self, source: Hashable, target: Hashable, used: Mapping[Cell, int]) -> list[_Step]:
        """Return a way from a part to a value on which more can flow; none when there is none."""
        ways: dict[Hashable, list[_Step]] = {source: []}  # to each part that was reached
        values_reached = set()
        queue = deque([source])
        while queue:
            part = queue.popleft()
            for value, n in self._people[part].items():
                if value in values_reached or used.get((part, value), 0) >= n:
                    continue
                way = [*ways[part], ((part, value), _FORWARDS)]
                if value == target:
                    return way
                values_reached.add(value)
                for other in self._parts[value]:
                    if other not in ways:
                        ways[other] = [*way, ((other, value), _BACKWARDS)]
                        queue.append(other)
        return []
