"""JSON bytes → submission, at the speed of one compiled decode.

`shared.domain.submission.check` defines what a submission must be and explains every violation; the
decoder here says yes to nothing that `check` refuses (a property test holds the two together), so
that the long way is only walked by a body that is refused.

The decoder leaves the answers as the bytes that they are: which questionnaire they belong to is
only known when the rest has been read.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.domain.respondent import AGE_MAX, profile_code
from shared.domain.submission.check import violations
from shared.domain.submission.content import Texts, content_bytes, destination_bytes, digest_number
from shared.domain.submission.identity import (
    CODE_MAX,
    COMMENT_MAX,
    ID_MAX,
    POINT_MAX,
    POINT_PATTERN,
)
from shared.domain.submission.instant import FIRST_YEAR, LAST_YEAR
from shared.domain.submission.ticket import TYPED_MAX
from shared.domain.violation import Violation
from shared.registry.snapshot import Registry

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=CODE_MAX)]
SourceId = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_MAX)]
Score = Annotated[int, msgspec.Meta(ge=1, le=4)]
Point = Annotated[str, msgspec.Meta(max_length=POINT_MAX, pattern=POINT_PATTERN)]
TicketCode = Annotated[str, msgspec.Meta(min_length=1, max_length=TYPED_MAX)]
Comment = Annotated[str, msgspec.Meta(max_length=COMMENT_MAX)]
# The lists of shared.domain.respondent, spelled out for the type checker; a test holds them
# together.
Sex = Literal["L", "P"]
Education = Literal["SD", "SMP", "SMA", "D1", "D2", "D3", "D4", "S1", "S2", "S3"]
Occupation = Literal["PNS", "TNI", "POLRI", "SWASTA", "WIRAUSAHA", "PELAJAR", "LAINNYA"]

MOST_VIOLATIONS = 100  # a hostile body could have a million
# Longer ones are no survey answers: as objects a MiB of them would hold up everybody for 0.1 s.
EXPLAINED_MAX_BYTES = 64 * 1024
MOST_REMEMBERED = 65_536  # of what a hostile sender could invent for ever: codes, places
_NUL = "\0"  # msgspec accepts its escape, PostgreSQL's text does not hold it


class Respondent(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a respondent says of themself; everything may be absent."""

    sex: Sex | None = None
    age: Annotated[int, msgspec.Meta(ge=0, le=AGE_MAX)] | None = None
    education: Education | None = None
    occupation: Occupation | None = None

    def profile(self) -> int:
        """Return it as one integer, as shared.domain.respondent has it."""
        return profile_code(self.sex, self.age, self.education, self.occupation)


class Submission(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """One filled questionnaire as it was sent, its answers not yet read."""

    opd: Code
    layanan: Code
    answers: msgspec.Raw
    id: SourceId | None = None
    submitted_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    respondent: Respondent | None = None
    comment: Comment | None = None
    questionnaire: Code | None = None
    point: Point | None = None  # where it was answered: a counter, a kiosk
    replaces: SourceId | None = None  # the id of an earlier submission of the same channel
    ticket: TicketCode | None = None  # says who may answer, nothing of what is answered


class AnswersDecoder:
    """Reads the answers to one questionnaire, or to one that the registry does not have (yet)."""

    def __init__(self, questionnaire: Questionnaire | None) -> None:
        self.questionnaire = questionnaire
        kind = _answers_type(questionnaire) if questionnaire else dict[str, Score | None]
        self._decode: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder(kind).decode

    # Any: a struct of its own for each questionnaire.
    def decode(self, raw: msgspec.Raw) -> Any:  # noqa: ANN401
        """Return what was answered: a struct with a field per unsur, in questionnaire order.

        A field is a score or None. Without a questionnaire it is a dict of scores by unsur. None
        when these are no answers.
        """
        try:
            scores = self._decode(raw)
        except (ValueError, RecursionError):
            return None
        return None if isinstance(scores, dict) and _NUL in "".join(scores) else scores


class Destination(NamedTuple):
    """Where a submission belongs by what it says, whether the registry has it or not."""

    opd: str
    layanan: str
    named: str | None  # the questionnaire, when the submission names one
    answers_decoder: AnswersDecoder


class SubmissionDecoder:
    """Reads submissions by one registry snapshot."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._answers_decoders: dict[str, AnswersDecoder] = {}
        self.destination = lru_cache(MOST_REMEMBERED)(self._destination)

    def decode(
        self, body: bytes, most_violations: int = MOST_VIOLATIONS
    ) -> Submission | list[Violation]:
        """Return the submission in `body`, or the reasons why it is none.

        They are at most so many, and none only when none are wanted.
        """
        try:
            submission = decode_members(body)
        except (ValueError, RecursionError) as error:
            return self._explain(body, error, most_violations)
        destination = self.destination(submission.opd, submission.layanan, submission.questionnaire)
        if (
            destination is None
            or destination.answers_decoder.decode(submission.answers) is None
            or _NUL in (submission.comment or "") + (submission.id or "")
            or _NUL in (submission.replaces or "") + (submission.ticket or "")
            or not is_plausible(submission.submitted_at)
        ):
            return self._explain(body, None, most_violations)
        return submission

    def _destination(self, opd: str, layanan: str, named: str | None) -> Destination | None:
        """Return where these codes belong; None when one of them can be no code."""
        codes = (opd, layanan, named or "")
        if _NUL in "".join(codes):
            return None
        questionnaire = self._registry.questionnaire_for(opd, layanan, named)
        return Destination(opd, layanan, named, self._answers_decoder(questionnaire))

    def _answers_decoder(self, questionnaire: Questionnaire | None) -> AnswersDecoder:
        code = questionnaire.code if questionnaire else ""
        if code not in self._answers_decoders:
            self._answers_decoders[code] = AnswersDecoder(questionnaire)
        return self._answers_decoders[code]

    def _explain(
        self, body: bytes, error: Exception | None, most_violations: int
    ) -> list[Violation]:
        if most_violations <= 0:  # the way to the reasons is the long one
            return []
        is_long = len(body) > EXPLAINED_MAX_BYTES
        try:
            document = _skim(body) if is_long else msgspec.json.decode(body)
        except (ValueError, RecursionError) as malformed:
            return [Violation("", "malformed-json", f"not a JSON document: {_reason(malformed)}")]
        if is_long:
            reason = f"{_reason(error)}; " if error else ""
            detail = f"{reason}only submissions of up to 64 KiB are explained in full"
            return [Violation("", "invalid", detail)]
        every_violation = violations(document, self._questionnaire_of(document))
        first_violations = list(islice(every_violation, min(most_violations, MOST_VIOLATIONS)))
        # A member that stands twice, once wrong: the document holds the last one alone.
        return first_violations or [
            Violation("", "invalid", _reason(error) if error else "holds a member twice")
        ]

    def _questionnaire_of(self, document: object) -> Questionnaire | None:
        if not isinstance(document, Mapping):
            return SKM_2017
        opd, layanan, named = (document.get(field) for field in ("opd", "layanan", "questionnaire"))
        if (
            not isinstance(opd, str)
            or not isinstance(layanan, str)
            or not isinstance(named, str | None)
        ):
            return SKM_2017
        return self._registry.questionnaire_for(opd, layanan, named)


_skim: Callable[[bytes], object] = msgspec.json.Decoder(msgspec.Raw).decode  # makes no objects
# The members of a submission and their types; raises ValueError or RecursionError.
decode_members: Callable[[bytes], Submission] = msgspec.json.Decoder(Submission).decode
_ANY_ANSWERS = AnswersDecoder(None)


def is_plausible(submitted_at: datetime | None) -> bool:
    """Tell whether a time is none, or lies in a year that every zone and window can hold."""
    return submitted_at is None or FIRST_YEAR <= submitted_at.year <= LAST_YEAR


def digest_of(body: bytes) -> int:
    """Return the digest of what a body says, in any registry; of its bytes when it says nothing."""
    try:
        submission = decode_members(body)
    except (ValueError, RecursionError):
        return digest_number(body)
    scores = _ANY_ANSWERS.decode(submission.answers)
    if scores is None:
        return digest_number(body)
    time, respondent = submission.submitted_at, submission.respondent
    content = content_bytes(
        destination_bytes(submission.opd, submission.layanan, submission.questionnaire),
        None if time is None else instant_us(time),
        0 if respondent is None else respondent.profile(),
        scores,
        Texts(submission.comment, submission.point, submission.replaces),
    )
    return digest_number(content)


def instant_us(instant: datetime) -> int:
    """Return an instant in microseconds since 1970."""
    return round(instant.timestamp() * 1_000_000)


def _answers_type(questionnaire: Questionnaire) -> type[msgspec.Struct]:
    """Return a type with a field per unsur.

    A code need not be a Python name ("1-a", "class"): the fields have names of their own.
    """
    names = {f"unsur_{index}": unsur.code for index, unsur in enumerate(questionnaire.unsur)}
    fields: list[str | tuple[str, Any] | tuple[str, Any, Any]] = [
        (name, Score) if unsur.required else (name, Score | None, None)
        for name, unsur in zip(names, questionnaire.unsur, strict=True)
    ]
    return msgspec.defstruct(
        "Answers",
        fields,
        kw_only=True,  # a required unsur may follow an optional one
        rename=names,
        forbid_unknown_fields=True,
        frozen=True,
    )


def _reason(error: Exception) -> str:
    return "too deeply nested" if isinstance(error, RecursionError) else str(error)[:200]
