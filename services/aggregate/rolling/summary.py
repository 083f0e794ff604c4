"""From a tally to the published summary: index, letter, interval, unsur, comparison, sample; and how tallies merge.

Pure: no clock, no I/O. A summary is what `rolling_ikm.detail` keeps and what the read API answers;
its numbers are decimals rounded half-up once, written as JSON numbers (88.00).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm

import msgspec

from services.aggregate.rolling import arithmetic
from shared.domain.errors import TallyMismatch
from shared.domain.ikm import EXACT, IKM_PLACES, SCHEMES, WeightScheme
from shared.domain.questionnaire import SCORES, Questionnaire, Unsur
from shared.domain.sampling import krejcie_morgan
from shared.domain.tally import Tally

Part = tuple[Questionnaire, Tally]
_required = lru_cache(maxsize=4096)(krejcie_morgan)


class UnsurFigure(msgspec.Struct, frozen=True):
    """One unsur: how many answered it, their mean score (NRR), NRR × 25 and its letter; null without answers."""

    code: str
    key: str
    name: str
    answered: int
    nrr: Decimal | None
    ikm: Decimal | None
    mutu: str | None


class Sample(msgspec.Struct, frozen=True):
    """Sampling adequacy: users in a year and the sample they need (null when not known), respondents achieved."""

    population: int | None
    required: int | None
    achieved: int


class Summary(msgspec.Struct, frozen=True):
    """What is published of one group of respondents. `comparison`: the index under the other weight schemes."""

    respondents: int
    ikm: Decimal | None
    mutu: str | None
    kinerja: str | None
    ci95: tuple[Decimal, Decimal] | None
    scheme: str
    unsur: tuple[UnsurFigure, ...]
    comparison: dict[str, Decimal | None]
    sample: Sample


def words(ikm: Decimal | None) -> tuple[str | None, str | None]:
    """The letter and the kinerja of an index; neither without an index."""
    if ikm is None:
        return None, None
    band = arithmetic.letter(ikm)
    return band.letter, band.kinerja


@lru_cache(
    maxsize=4096
)  # windows often hold the same respondents, and most of them do not change at a refresh
def summarise(
    questionnaire: Questionnaire, tally: Tally, population: int | None, scheme: WeightScheme
) -> Summary:
    """Return the summary of a tally under a weight scheme. `population`: users in a year, where known."""
    scores, weights = arithmetic.Scores.of(tally), questionnaire.weights
    means = arithmetic.Means.of(scores)
    by_scheme = {one.name: means.index(weights, one) for one in {*SCHEMES.values(), scheme}}
    rounded = {
        name: found.rounded(IKM_PLACES) if found else None
        for name, found in sorted(by_scheme.items())
    }
    ikm = rounded.pop(scheme.name)
    letter, kinerja = words(ikm)
    return Summary(
        respondents=tally.n,
        ikm=ikm,
        mutu=letter,
        kinerja=kinerja,
        ci95=arithmetic.interval(
            tally, by_scheme[EXACT.name], questionnaire.total_weight, population
        ),
        scheme=scheme.name,
        unsur=tuple(
            UnsurFigure(unsur.code, unsur.key, unsur.name, answered, nrr, value, words(value)[0])
            for unsur, (answered, nrr, value) in zip(
                questionnaire.unsur, scores.means(), strict=True
            )
        ),
        comparison=rounded,
        sample=Sample(population, None if population is None else _required(population), tally.n),
    )


def index_only(
    parts: Sequence[Part], scheme: WeightScheme
) -> tuple[int, Decimal | None, str | None]:
    """Return respondents, index and letter: a cell of a table or a point of a trend."""
    questionnaire, tally = merge(parts)
    found = arithmetic.index(tally, questionnaire.weights, scheme)
    ikm = found.rounded(IKM_PLACES) if found is not None else None
    return tally.n, ikm, words(ikm)[0]


def merge(parts: Sequence[Part]) -> Part:
    """Return one questionnaire and one tally for respondents who answered different questionnaires.

    Unsur are the same when their keys are. Names, order and weights are those of the questionnaire
    that most of the respondents answered (then the first code); unsur that only others have follow.
    Respondents' totals are brought to one scale, exactly: weights and totals are multiplied until
    every questionnaire has the same total weight.
    """
    if len(parts) == 1:
        return parts[0]
    if not parts:
        raise TallyMismatch("nothing to merge")
    ranked = sorted(parts, key=lambda part: (-part[1].n, part[0].code))
    unsur: dict[str, Unsur] = {}
    for questionnaire, _ in ranked:
        for one in questionnaire.unsur:
            unsur.setdefault(one.key, one)
    own_weight = sum(one.weight for one in unsur.values())
    scale = lcm(own_weight, *(questionnaire.total_weight for questionnaire, _ in ranked))
    leading = ranked[0][0]
    merged = Questionnaire(
        code=leading.code,
        name=leading.name,
        unsur=tuple(
            _weighted(one, one.weight * scale // own_weight)
            for one in _unique_codes(unsur.values())
        ),
        regulation=leading.regulation,
    )
    tally = Tally.zero(merged.size)
    for questionnaire, part in ranked:
        tally = tally + _on_scale(
            part, questionnaire, list(unsur), scale // questionnaire.total_weight
        )
    return merged, tally


def exact_index(parts: Sequence[Part], scheme: WeightScheme) -> Fraction | None:
    """Return the index, unrounded: what a mean of indices is made of."""
    questionnaire, tally = merge(parts)
    found = arithmetic.index(tally, questionnaire.weights, scheme)
    return found.fraction() if found is not None else None


def population_of(users: Iterable[int | None]) -> int | None:
    """Return the users in a year of several services together; None when there is none or one is not known."""
    known = list(users)
    return sum(count or 0 for count in known) if known and None not in known else None


def _unique_codes(unsur: Iterable[Unsur]) -> list[Unsur]:
    """Two questionnaires may give one code to different unsur: the later one is shown by its key."""
    seen: set[str] = set()
    unique = []
    for one in unsur:
        code = one.key if one.code in seen else one.code
        seen.add(code)
        unique.append(
            Unsur(code, one.key, one.name, one.question, one.options, one.required, one.weight)
        )
    return unique


def _weighted(unsur: Unsur, weight: int) -> Unsur:
    return Unsur(
        unsur.code, unsur.key, unsur.name, unsur.question, unsur.options, unsur.required, weight
    )


def _on_scale(
    tally: Tally, questionnaire: Questionnaire, keys: Sequence[str], factor: int
) -> Tally:
    width = len(SCORES)
    at: Mapping[str, int] = {one.key: width * u for u, one in enumerate(questionnaire.unsur)}
    counts = (
        tally.counts[at[key] : at[key] + width] if key in at else (0,) * width for key in keys
    )
    return Tally(
        tally.n,
        tuple(count for of_unsur in counts for count in of_unsur),
        tally.complete,
        tally.total * factor,
        tally.total_sq * factor * factor,
    )
