"""The public breakdown of closed periods: sums of what was published of their triwulan.

A cell is shown where each triwulan shows its own: so a semester or a year says nothing that its
parts do not (docs/decisions/0014-public-breakdowns.md says why not more).
"""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from services.aggregate.read.bodies import Breakdown
from services.aggregate.read.figures import breakdown_bodies
from services.aggregate.read.figures.breakdown_bodies import BreakdownStanding, Question
from services.aggregate.read.figures.source import FigureSource
from services.aggregate.read.view import PUBLIC, not_public
from services.aggregate.rolling.pools import pools_by
from shared.domain.window import Window, periods_of
from shared.storage.released import breakdowns, sums
from shared.storage.released.breakdowns import ReleasedBreakdown
from shared.storage.rolling import INSTANSI
from shared.storage.tallies.tally_sums import ValueSum, padded

_TRIWULAN = 1  # its place among the periods that a day lies in
PUBLIC_INSTEAD = "a closed triwulan (2026-Q2), semester (2026-S1) or year (2026)"


def closed_breakdown(source: FigureSource, question: Question) -> Breakdown:
    """Return what is public. Raises Refused (401, 403) for other periods and those not closed."""
    registry, window = source.registry, question.window
    triwulan = triwulan_of(window)
    opds = list(registry.opd) if question.opd is None else [question.opd.code]
    with source.reading() as connection:
        closed_to = breakdowns.closed_to(connection, opds)
        if not triwulan or window.last is None or closed_to is None or window.last > closed_to:
            asked = f"A breakdown by {question.facet} of window={window.name}"
            raise not_public(source.key, asked, PUBLIC_INSTEAD)
        owner = INSTANSI if question.opd is None else question.opd.code
        stored = breakdowns.read_breakdowns(connection, triwulan, [owner], [question.facet])
        published = [breakdown for breakdown in stored if breakdown.released_at is not None]
        released = breakdowns.steps_released(connection, opds, window.last)
        if {period for _, period in released} & {*triwulan} - {part.period for part in published}:
            published = []  # a part of the window has none yet
        is_whole = _covers_all(connection, opds, window, published)
    hidden = {value for breakdown in published for value in breakdown.withheld}
    size = max((len(cell.vector) for part in published for cell in part.cells), default=0)
    pools = pools_by(
        (
            ValueSum(cell.value, cell.questionnaire, padded(cell.vector, size))
            for part in published
            for cell in part.cells
        ),
        lambda value_sum: value_sum.value,
    )
    released_at = max((part.released_at for part in published if part.released_at), default=None)
    standing = BreakdownStanding(PUBLIC, released_at, withheld=not is_whole)
    return breakdown_bodies.breakdown(registry, question, pools, hidden, standing)


def triwulan_of(window: Window) -> list[str]:
    """Return the triwulan of a triwulan, semester or year; none of any other window."""
    if window.first is None or window.last is None:
        return []
    if window.name not in {period.name for period in periods_of(window.first)[_TRIWULAN:]}:
        return []
    names = []
    day = window.first
    while day <= window.last:
        triwulan = periods_of(day)[_TRIWULAN]
        names.append(triwulan.name)
        day = (triwulan.last or window.last) + timedelta(days=1)
    return names


def _covers_all(
    connection: sa.Connection,
    opds: Sequence[str],
    window: Window,
    published: Sequence[ReleasedBreakdown],
) -> bool:
    """Tell whether the cells are about all that the released index of the window is about."""
    covered = sum(cell.vector[0] for breakdown in published for cell in breakdown.cells)
    # The first number of a vector is the respondents: of the unsur none is needed.
    return covered == sum(part.vector[0] for part in sums.sums(connection, opds, 0, window))
