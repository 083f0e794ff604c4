"""From a tally to what is published of it: index, letter, interval, unsur, comparison, sample.

Pure: no clock, no I/O. A summary is what `rolling_ikm.detail` keeps and what the read API answers;
its numbers are decimals rounded half-up once, written as JSON numbers (88.00).
"""

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import msgspec

from shared.domain.ikm import SCHEMES, TallyFigures, UnsurMean, WeightScheme
from shared.domain.mutu import IKM_PLACES, mutu
from shared.domain.questionnaire import Questionnaire, Unsur
from shared.domain.rounding import half_up
from shared.domain.sampling import krejcie_morgan
from shared.domain.tally import Tally

_required = lru_cache(maxsize=4096)(krejcie_morgan)


class UnsurFigure(msgspec.Struct, frozen=True):
    """One unsur: its answers, their mean (NRR), NRR × 25 and its letter; null without answers.

    `answered` is null where even the number of answers is withheld.
    """

    code: str
    key: str
    name: str
    answered: int | None
    nrr: Decimal | None
    ikm: Decimal | None
    mutu: str | None


class Sample(msgspec.Struct, frozen=True):
    """Sampling adequacy: users in a year, the sample they need, and the respondents achieved.

    The first two are null when the users are not known, the last one where it is withheld.
    """

    population: int | None
    required: int | None
    achieved: int | None


class Summary(msgspec.Struct, frozen=True):
    """What is published of a group of respondents.

    `comparison` holds the index under the other weight schemes.
    """

    respondents: int
    ikm: Decimal | None
    mutu: str | None
    kinerja: str | None
    ci95: tuple[Decimal, Decimal] | None
    scheme: str
    unsur: tuple[UnsurFigure, ...]
    comparison: dict[str, Decimal | None]
    sample: Sample


class Headline(NamedTuple):
    """The least that can be said: a cell of a table, a point of a trend."""

    respondents: int
    ikm: Decimal | None
    mutu: str | None


def letter_and_kinerja(ikm: Decimal | None) -> tuple[str | None, str | None]:
    """Return the mutu and the kinerja of an index; neither without an index."""
    if ikm is None:
        return None, None
    band = mutu(ikm)
    return band.letter, band.kinerja


# Windows often hold the same respondents, and most of them do not change at a refresh.
@lru_cache(maxsize=4096)
def summarise(
    questionnaire: Questionnaire, tally: Tally, population: int | None, scheme: WeightScheme
) -> Summary:
    """Return the summary of a tally under a weight scheme, given the users in a year, if known."""
    figures = TallyFigures.of(tally, questionnaire)
    comparison = {name: _index(figures, other) for name, other in sorted(SCHEMES.items())}
    ikm = comparison.pop(scheme.name)
    letter, kinerja = letter_and_kinerja(ikm)
    required = None if population is None else _required(population)
    return Summary(
        respondents=tally.n,
        ikm=ikm,
        mutu=letter,
        kinerja=kinerja,
        ci95=figures.ci95(population),
        scheme=scheme.name,
        unsur=tuple(map(_unsur_figure, questionnaire.unsur, figures.unsur_means())),
        comparison=comparison,
        sample=Sample(population, required, tally.n),
    )


def headline(questionnaire: Questionnaire, tally: Tally, scheme: WeightScheme) -> Headline:
    """Return respondents, index and letter alone."""
    ikm = _index(TallyFigures.of(tally, questionnaire), scheme)
    letter, _ = letter_and_kinerja(ikm)
    return Headline(tally.n, ikm, letter)


def _index(figures: TallyFigures, scheme: WeightScheme) -> Decimal | None:
    index = figures.ikm(scheme)
    return None if index is None else half_up(index, IKM_PLACES)


def _unsur_figure(unsur: Unsur, mean: UnsurMean) -> UnsurFigure:
    letter, _ = letter_and_kinerja(mean.ikm)
    return UnsurFigure(unsur.code, unsur.key, unsur.name, mean.answered, mean.nrr, mean.ikm, letter)
