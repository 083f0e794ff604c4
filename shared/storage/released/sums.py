"""Sums of released tallies: what every public figure is made of.

Each is a sum of whole release steps, over any days: of a bin counts all or nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from shared.domain.window import Window, period
from shared.storage.rolling import ALL_LAYANAN
from shared.storage.tables import released_tally
from shared.storage.tallies.tally_sums import Vector, vector_sum


class ReleasedSum(NamedTuple):
    """What was released of one questionnaire; of the pools of an OPD the layanan is ""."""

    opd: str
    layanan: str
    questionnaire: str
    vector: Vector
    released_at: datetime  # of the last step in it


def sums(
    connection: sa.Connection, opds: Sequence[str], size: int, window: Window
) -> list[ReleasedSum]:
    """Return the sums of the bins whose period lies wholly in the window.

    An OPD is the sum of all its layanan and its pools. `size`: as in tally_sums.
    """
    table = released_tally.c
    query = (
        sa.select(
            table.opd,
            table.layanan,
            table.questionnaire,
            vector_sum(size, released_tally.name),
            sa.func.max(table.released_at),
        )
        .where(table.opd.in_(opds), table.part == "released", *_within(window))
        .group_by(table.opd, table.layanan, table.questionnaire)
        .order_by(table.opd, table.layanan, table.questionnaire)
    )
    return [
        ReleasedSum(opd, layanan, questionnaire, tuple(vector), released_at)
        for opd, layanan, questionnaire, vector, released_at in connection.execute(query)
    ]


def left_out(
    connection: sa.Connection, opds: Sequence[str], window: Window
) -> set[tuple[str, str]]:
    """Return which figures of a window lack responses of closed months: OPD and layanan.

    They wait for others to be pooled with, or are in the pool of a longer period. ALL_LAYANAN: the
    OPD as a whole lacks them; a layanan lacks also what is in a pool of the window.
    """
    table = released_tally.c
    query = (
        sa.select(table.opd, table.layanan, table.pool)
        .where(table.opd.in_(opds), table.part.in_(("left", "pooled")), *_within(window))
        .distinct()
    )
    lacking: set[tuple[str, str]] = set()
    for opd, layanan, pool in connection.execute(query):
        lacking.add((opd, layanan))
        if not pool or not window.covers(period(pool)):
            lacking.add((opd, ALL_LAYANAN))
    return lacking


def _within(window: Window) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if window.first is not None:
        conditions.append(released_tally.c.first >= window.first)
    if window.last is not None:
        conditions.append(released_tally.c.last <= window.last)
    return conditions
