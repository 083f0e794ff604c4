"""Every day tally is what the responses of its day add up to; or else which one is not."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from shared.domain.questionnaire import Questionnaire
from shared.storage.tallies import tally_check
from shared.storage.tallies.tally_check import OpdRange, TallyDifference, TallyNumbers


def wrong_tallies(
    connection: sa.Connection, opds: OpdRange, questionnaires: Sequence[Questionnaire]
) -> Iterator[str]:
    """Yield the day tallies of some OPDs that are wrong: the first few, and how many more."""
    differences = tally_check.differences(connection, opds, questionnaires)
    yield from map(_in_words, differences.examples)
    if differences.total > len(differences.examples):
        yield f"{differences.total - len(differences.examples)} more day tallies differ"


def _in_words(difference: TallyDifference) -> str:
    opd, facet, day, layanan, value, questionnaire, stored, recomputed = difference
    facet_value = f" {facet}={value}" if facet != "all" else ""
    tally = f"day_tally {opd}/{layanan} {day}{facet_value} {questionnaire}"
    if stored is None:
        return f"{tally}: no row, responses give n={recomputed.n if recomputed else 0}"
    if recomputed is None:
        return f"{tally}: n={stored.n}, but no responses"
    return f"{tally}: " + ", ".join(
        f"{name} {has}, responses give {expected}"
        for name, has, expected in zip(TallyNumbers._fields, stored, recomputed, strict=True)
        if has != expected
    )
