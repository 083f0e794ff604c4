"""What one part of a bin cannot be, whatever the rule made of the others."""

from collections.abc import Iterator

from shared.domain.questionnaire import SCORES, Questionnaire
from shared.domain.tally import Tally
from shared.domain.window import period
from shared.storage.released import bins
from shared.storage.released.parts import StoredPart


def faults_of_part(stored: StoredPart, questionnaire: Questionnaire | None) -> Iterator[str]:
    """Yield what is wrong with a part by itself."""
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
    if len(stored.counts) != len(SCORES) * questionnaire.size:
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
