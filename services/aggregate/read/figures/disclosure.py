"""Which cells of a breakdown are withheld, so that nobody's answers can be worked out.

A cell with fewer than five respondents is withheld. The total of all cells is public: what is
missing from it is the sum of the withheld cells. So at least two are withheld, and at least five
respondents together; the next smallest cells are withheld as well until that holds, or nothing is
left to withhold.
"""

from collections.abc import Mapping

FEWEST = 5
_FEWEST_CELLS = 2


def withheld(respondents: Mapping[str, int]) -> set[str]:
    """Return the cells to withhold, given the respondents of all, which sum to a public total."""
    smallest_first = sorted((n, cell) for cell, n in respondents.items() if n > 0)
    hidden: set[str] = set()
    respondents_hidden = 0
    for n, cell in smallest_first:
        is_safe = not hidden or (len(hidden) >= _FEWEST_CELLS and respondents_hidden >= FEWEST)
        if n >= FEWEST and is_safe:
            break
        hidden.add(cell)
        respondents_hidden += n
    return hidden
