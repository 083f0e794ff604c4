"""The definition of a well-formed submission, naming everything that is wrong with another one.

What only the registry or the history can judge (does the OPD exist, is the service open, is the day
credible) is not asked here: such a submission is kept and parked.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.questionnaire import SCORES, Questionnaire
from shared.domain.respondent import AGE_MAX, EDUCATION, OCCUPATION, SEX
from shared.domain.submission.identity import (
    CODE_MAX,
    COMMENT_MAX,
    ID_MAX,
    POINT_MAX,
    POINT_PATTERN,
)
from shared.domain.submission.rules import (
    MemberRule,
    Rule,
    by_name,
    choice,
    instant,
    integer,
    matching,
    record,
    text,
)
from shared.domain.submission.ticket import TYPED_MAX
from shared.domain.violation import Violation

_CODE: Final = text(1, CODE_MAX)
_SCORE: Final = integer(SCORES[0], SCORES[-1])
_FIELDS: Final[Mapping[str, MemberRule]] = {
    "id": MemberRule(text(1, ID_MAX)),
    "opd": MemberRule(_CODE, required=True),
    "layanan": MemberRule(_CODE, required=True),
    "questionnaire": MemberRule(_CODE),
    "submitted_at": MemberRule(instant),
    "respondent": MemberRule(
        record(
            {
                "sex": MemberRule(choice(SEX)),
                "age": MemberRule(integer(0, AGE_MAX)),
                "education": MemberRule(choice(EDUCATION)),
                "occupation": MemberRule(choice(OCCUPATION)),
            }
        )
    ),
    "comment": MemberRule(text(0, COMMENT_MAX)),
    "point": MemberRule(matching(POINT_PATTERN, POINT_MAX)),
    "replaces": MemberRule(text(1, ID_MAX)),
    "ticket": MemberRule(text(1, TYPED_MAX)),
}


def violations(document: object, questionnaire: Questionnaire | None) -> Iterator[Violation]:
    """Yield every violation of a decoded JSON document; none means that it is a submission.

    One by one, for a caller that shows only the first of many. Without a questionnaire (its version
    is not known here) the answers are only asked to be scores or nulls.
    """
    answers = MemberRule(_answers(questionnaire), required=True)
    return record({**_FIELDS, "answers": answers})(document, "")


def _answers(questionnaire: Questionnaire | None) -> Rule:
    if questionnaire is None:
        return by_name(_SCORE)
    return record({u.code: MemberRule(_SCORE, u.required) for u in questionnaire.unsur})
