"""The batch tally in ways that are not the product's: pandas groupby, and plain dictionaries.

All give {key: (n, complete, total, total of squares, counts…)}, so that they can be compared with
the product's.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from services.aggregate.counting.columns import int_column, numbered
from services.aggregate.counting.tally import tally
from shared.domain.questionnaire import SKM_2017
from shared.domain.respondent import age_group, profile_code
from shared.storage.responses import Place
from shared.storage.tallies.day_tally import TallyKey

Profile = tuple[str | None, int | None, str | None, str | None]
Sums = dict[TallyKey, tuple[int, ...]]
SIZE = SKM_2017.size
WEIGHTS = SKM_2017.weights
FACETS = ("all", "sex", "age", "education", "occupation", "channel")
COLUMNS = ["opd", "layanan", "day", "questionnaire", "channel"]


def by_product(places: Sequence[Place], profiles: Sequence[Profile], scores: Sequence[str]) -> Sums:
    """The product's own (numpy), with the numbering of its columns."""
    distinct, place_index = numbered(places)
    codes = int_column(profile_code(*profile) for profile in profiles)
    digits = np.frombuffer("".join(scores).encode(), dtype=np.uint8).reshape(len(scores), SIZE)
    deltas = tally(SKM_2017, distinct, place_index, codes, digits)
    sums = zip(deltas.n, deltas.complete, deltas.total, deltas.total_sq, strict=True)
    width = deltas.width
    starts = range(0, len(deltas.keys) * width, width)
    return {
        key: (*row, *deltas.counts[start : start + width])
        for key, row, start in zip(deltas.keys, sums, starts, strict=True)
    }


def by_dictionaries(
    places: Sequence[Place], profiles: Sequence[Profile], scores: Sequence[str]
) -> Sums:
    """Plain Python: a list of sums for each key."""
    sums: dict[TallyKey, list[int]] = {}
    for place, profile, digits in zip(places, profiles, scores, strict=True):
        answers = [0 if digit == "-" else int(digit) for digit in digits]
        complete = all(answers)
        total = (
            sum(weight * answer for weight, answer in zip(WEIGHTS, answers, strict=True))
            if complete
            else 0
        )
        cells = [4 + 4 * unsur + answer - 1 for unsur, answer in enumerate(answers) if answer]
        for key in _keys(place, profile):
            row = sums.get(key)
            if row is None:
                row = sums[key] = [0] * (4 + 4 * SIZE)
            row[0] += 1
            row[1] += complete
            row[2] += total
            row[3] += total * total
            for cell in cells:
                row[cell] += 1
    return {key: tuple(row) for key, row in sums.items()}


def by_pandas(places: Sequence[Place], profiles: Sequence[Profile], scores: Sequence[str]) -> Sums:
    """One frame, one groupby per facet over indicator columns."""
    frame = pd.DataFrame(places, columns=COLUMNS)
    people = pd.DataFrame(profiles, columns=["sex", "age", "education", "occupation"])
    facets = frame.assign(
        all="",
        sex=people["sex"],
        education=people["education"],
        occupation=people["occupation"],
        age=pd.Series([_age(profile) for profile in profiles], dtype=object),
    )
    values = _indicators(scores)
    tallies: Sums = {}
    for facet in FACETS:
        by = [facets[name] for name in ("opd", "day", "layanan", facet, "questionnaire")]
        sums = values.groupby(by, sort=False, dropna=True, observed=True).sum()
        for (opd, day, layanan, value, questionnaire), row in zip(
            sums.index, sums.to_numpy().tolist(), strict=True
        ):
            tallies[TallyKey(opd, facet, day, layanan, value, questionnaire)] = tuple(row)
    return tallies


def _indicators(scores: Sequence[str]) -> pd.DataFrame:
    codes = np.frombuffer("".join(scores).encode(), dtype=np.uint8).reshape(len(scores), SIZE)
    digits = np.where(codes == ord("-"), 0, codes - ord("0")).astype(np.int64)
    complete = (digits > 0).all(axis=1)
    total = np.where(complete, digits @ np.asarray(WEIGHTS, dtype=np.int64), 0)
    counts = (digits[:, :, None] == np.arange(1, 5)).reshape(len(scores), 4 * SIZE)
    heads = np.stack([np.ones(len(scores), dtype=np.int64), complete, total, total**2], axis=1)
    return pd.DataFrame(np.concatenate([heads, counts], axis=1))


def _keys(place: Place, profile: Profile) -> Iterator[TallyKey]:
    sex, _, education, occupation = profile
    values = ("", sex, _age(profile), education, occupation, place.channel)
    for facet, value in zip(FACETS, values, strict=True):
        if value is not None:
            yield TallyKey(place.opd, facet, place.day, place.layanan, value, place.questionnaire)


def _age(profile: Profile) -> str | None:
    age = profile[1]
    return None if age is None else age_group(age)
