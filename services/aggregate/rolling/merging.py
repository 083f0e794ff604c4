"""Respondents who answered different questionnaires, as if they had answered one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import lcm

from shared.domain.errors import TallyMismatch
from shared.domain.questionnaire import SCORES, Questionnaire, Unsur
from shared.domain.tally import Tally

QuestionnaireTally = tuple[Questionnaire, Tally]  # the tally of those who answered it


def merge(tallies: Sequence[QuestionnaireTally]) -> QuestionnaireTally:
    """Return one questionnaire and one tally for all respondents.

    Unsur are the same when their keys are. Names, order and weights are those of the questionnaire
    that most of the respondents answered (then the first code); unsur that only others have follow.
    Respondents' totals are brought to one scale, exactly: weights and totals are multiplied until
    every questionnaire has the same total weight.
    """
    if len(tallies) == 1:
        return tallies[0]
    if not tallies:
        raise TallyMismatch("nothing to merge")
    ranked = sorted(tallies, key=lambda answered: (-answered[1].n, answered[0].code))
    unsur_by_key: dict[str, Unsur] = {}
    for questionnaire, _ in ranked:
        for unsur in questionnaire.unsur:
            unsur_by_key.setdefault(unsur.key, unsur)
    own_weight = sum(unsur.weight for unsur in unsur_by_key.values())
    scale = lcm(own_weight, *(questionnaire.total_weight for questionnaire, _ in ranked))
    merged_unsur = tuple(
        replace(unsur, weight=unsur.weight * scale // own_weight)
        for unsur in _with_unique_codes(unsur_by_key.values())
    )
    merged = replace(ranked[0][0], unsur=merged_unsur)
    total = Tally.zero(merged.size)
    for questionnaire, tally in ranked:
        factor = scale // questionnaire.total_weight
        total += _rescaled(_rearranged(tally, questionnaire, list(unsur_by_key)), factor)
    return merged, total


def _with_unique_codes(several: Iterable[Unsur]) -> list[Unsur]:
    """Show the later of two unsur by its key, where two questionnaires give them the same code."""
    codes: set[str] = set()
    unique = []
    for unsur in several:
        code = unsur.key if unsur.code in codes else unsur.code
        codes.add(code)
        unique.append(replace(unsur, code=code))
    return unique


def _rearranged(tally: Tally, questionnaire: Questionnaire, keys: Sequence[str]) -> Tally:
    """Return the tally with its unsur in the order of the keys, zeros for those it lacks."""
    width = len(SCORES)
    nobody = (0,) * width
    counts_by_key = {
        unsur.key: tally.counts[width * u : width * (u + 1)]
        for u, unsur in enumerate(questionnaire.unsur)
    }
    counts = tuple(count for key in keys for count in counts_by_key.get(key, nobody))
    return replace(tally, counts=counts)


def _rescaled(tally: Tally, factor: int) -> Tally:
    """Return the tally with the totals of its respondents multiplied."""
    return replace(tally, total=tally.total * factor, total_sq=tally.total_sq * factor * factor)
