"""Public tallies obey the release rule: whole steps, nothing that is not counted, pools in balance.

The live tallies are summed by month anew; what a refresh remembers is not used.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice

import sqlalchemy as sa

from shared.domain import release
from shared.domain.questionnaire import Questionnaire
from shared.domain.release import BinKey
from shared.domain.tally import Tally
from shared.domain.window import period
from shared.registry.snapshot import Registry
from shared.storage.released import bins, parts
from shared.storage.released.parts import StoredPart
from shared.storage.tallies import tally_sums

EXAMPLES = 10


def wrong_bins_of_opd(connection: sa.Connection, opd: str, registry: Registry) -> Iterator[str]:
    """Yield what is wrong with the released tallies of one OPD: the first few, and how many."""
    faults = _faults(connection, opd, registry)
    yield from islice(faults, EXAMPLES)
    if more := sum(1 for _ in faults):
        yield f"released_tally {opd}: {more} more faults"


def _faults(connection: sa.Connection, opd: str, registry: Registry) -> Iterator[str]:
    for stored in parts.read_parts(connection, [opd]):
        questionnaire = registry.questionnaires.get(stored.key.questionnaire)
        for fault in _faults_of_part(stored, questionnaire):
            yield f"released_tally {'/'.join(stored.key)}: {fault}"
    live = live_by_month(connection, opd, registry)
    for key, fault in release.faults(bins.read(connection, [opd]).get(opd, {}), live):
        yield f"released_tally {opd}/{'/'.join(key)}: {fault}"


def live_by_month(
    connection: sa.Connection, opd: str, registry: Registry
) -> Mapping[BinKey, Tally]:
    """Return what the day tallies of an OPD add up to by month, layanan and questionnaire."""
    days = tally_sums.extent(connection, opd)
    if days is None:
        return {}
    months = list(_months(*days))
    sums = tally_sums.by_segment(connection, [opd], registry.unsur_max, months)
    return {
        # Segment i begins at the border before it.
        BinKey(
            f"{months[of_month.segment - 1]:%Y-%m}", of_month.layanan, of_month.questionnaire
        ): tally_sums.as_tally(
            of_month.vector, registry.questionnaires[of_month.questionnaire].size
        )
        for of_month in sums
    }


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _faults_of_part(stored: StoredPart, questionnaire: Questionnaire | None) -> Iterator[str]:
    days, is_released = period(stored.key.period), stored.key.part == bins.RELEASED
    if (stored.first, stored.last) != (days.first, days.last):
        yield f"its days are {stored.first}–{stored.last}, not those of its period"
    if stored.key.part != bins.RELEASED and (stored.steps or stored.released_at is not None):
        yield "only what is released has steps and a time"
    if is_released and stored.steps < 1:
        yield "it is released in no step"
    if questionnaire is None:
        yield "the registry has no such questionnaire"
        return
    if len(stored.counts) != 4 * questionnaire.size:
        yield f"it has {len(stored.counts)} counts for {questionnaire.size} unsur"
        return
    yield from _contradictions(stored, questionnaire)


def _contradictions(stored: StoredPart, questionnaire: Questionnaire) -> Iterator[str]:
    """Yield what no responses to the questionnaire can add up to."""
    tally = Tally(stored.n, tuple(stored.counts), stored.complete, stored.total, stored.total_sq)
    if stored.n < 1 or min(stored.counts) < 0:
        yield f"n={stored.n} counts={list(stored.counts)} are no responses"
    least = min(
        (answered if not unsur.required else stored.n)
        for unsur, answered in zip(questionnaire.unsur, tally.answered, strict=True)
    )
    is_answered = all(
        answered == stored.n if unsur.required else answered <= stored.n
        for unsur, answered in zip(questionnaire.unsur, tally.answered, strict=True)
    )
    if not is_answered or not 0 <= stored.complete <= least:
        yield f"n={stored.n} complete={stored.complete}, but answered are {tally.answered}"
    weighted = sum(
        weight * scores
        for weight, scores in zip(questionnaire.weights, tally.score_sums, strict=True)
    )
    if stored.complete == stored.n and stored.total != weighted:
        yield f"the total is {stored.total}, the counts give {weighted}"
    if stored.total_sq * stored.complete < stored.total**2:
        yield f"total={stored.total} and total_sq={stored.total_sq} contradict each other"
