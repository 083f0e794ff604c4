"""The batch tally: the product's numpy beside pandas and dictionaries, on the same batches."""

import gc
import time
from collections.abc import Sequence
from datetime import datetime

from benchmarks.figures import Figure, Series, Target
from benchmarks.load.sample import CHANNEL, submissions
from benchmarks.plan import Plan
from benchmarks.running.processes import pinned
from benchmarks.yardsticks.grouping import Profile, by_dictionaries, by_pandas, by_product
from shared.domain.questionnaire import SKM_2017
from shared.storage.responses import Place

WAYS = {"numpy": by_product, "pandas groupby": by_pandas, "dictionaries": by_dictionaries}
Batch = tuple[Sequence[Place], Sequence[Profile], Sequence[str]]
LEAST_S = 0.5


def measure(plan: Plan) -> list[Figure]:
    """Measure responses tallied per second, for a small and for a full batch."""
    figures: list[Figure] = []
    for size in (500, 10_000):
        batch = _batch(size)
        rates: dict[str, list[float]] = {name: [] for name in WAYS}
        with pinned(plan.cores.measured):
            assert by_product(*batch) == by_pandas(*batch) == by_dictionaries(*batch)
            for _ in range(plan.runs):
                for name in WAYS:
                    rates[name].append(_rate(name, batch))
        numpy = Series("numpy", "/s", rates["numpy"])
        figures += [
            Figure(
                f"tally of {size:,}, beside {name}",
                numpy,
                Series(name, "/s", rates[name]),
                Target(at_least=1),
                "CPU of one core",
            )
            for name in WAYS
            if name != "numpy"
        ]
    return figures


def _rate(name: str, batch: Batch) -> float:
    """Return responses per second of CPU, over half a second at least."""
    way, repetitions = WAYS[name], 0
    gc.collect()
    started = time.process_time()
    while (passed := time.process_time() - started) < LEAST_S:
        way(*batch)
        repetitions += 1
    return repetitions * len(batch[0]) / passed


def _batch(size: int) -> Batch:
    distinct: dict[Place, Place] = {}  # the judge, too, makes one object of equal places
    places: list[Place] = []
    profiles: list[Profile] = []
    scores: list[str] = []
    for document in submissions("groupby", size):
        day = datetime.fromisoformat(document["submitted_at"]).date()
        place = Place(document["opd"], document["layanan"], day, SKM_2017.code, CHANNEL)
        places.append(distinct.setdefault(place, place))
        respondent = document.get("respondent") or {}
        profiles.append(
            (
                respondent.get("sex"),
                respondent.get("age"),
                respondent.get("education"),
                respondent.get("occupation"),
            )
        )
        scores.append("".join(map(str, document["answers"].values())))
    return places, profiles, scores
