"""JSON bytes → submission, at the speed of one compiled decode.

`shared.domain.check` defines what a submission must be and explains every violation; the decoder here, compiled from
the questionnaire, says yes to nothing that `check` refuses (a property test holds the two together), so that the long
way is only walked by a body that is refused.
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec

from shared.domain.check import Violation, violations
from shared.domain.instant import FIRST_YEAR, LAST_YEAR
from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.domain.respondent import AGE_MAX
from shared.domain.submission import CODE_MAX, COMMENT_MAX, ID_MAX
from shared.registry import Registry

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=CODE_MAX)]
SourceId = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_MAX)]
Score = Annotated[int, msgspec.Meta(ge=1, le=4)]
# The lists of shared.domain.respondent, spelled out for the type checker; a test holds them together.
Sex = Literal["L", "P"]
Education = Literal["SD", "SMP", "SMA", "D1", "D2", "D3", "D4", "S1", "S2", "S3"]
Occupation = Literal["PNS", "TNI", "POLRI", "SWASTA", "WIRAUSAHA", "PELAJAR", "LAINNYA"]

MOST_VIOLATIONS = 100  # a hostile body could have a million
# msgspec accepts the escape of NUL, PostgreSQL's text does not hold it.
_NUL_ESCAPE = b"\\u0000"
_DIGITS = bytes.maketrans(bytes(range(5)), b"-1234")


class Respondent(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a respondent says of themself; everything may be absent."""

    sex: Sex | None = None
    age: Annotated[int, msgspec.Meta(ge=0, le=AGE_MAX)] | None = None
    education: Education | None = None
    occupation: Occupation | None = None


class Submission(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """One filled questionnaire as it was sent (DESIGN, Contract). `answers` holds one field an unsur, in its order."""

    opd: Code
    layanan: Code
    answers: Any
    id: SourceId | None = None
    submitted_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    respondent: Respondent | None = None
    comment: Annotated[str, msgspec.Meta(max_length=COMMENT_MAX)] | None = None
    questionnaire: Code | None = None

    @property
    def scores(self) -> str:
        """The answers as digits in questionnaire order, "-" where there is none: "443444433"."""
        answers = msgspec.structs.astuple(self.answers)
        try:
            return bytes(answers).translate(_DIGITS).decode()
        except TypeError:
            return bytes(answer or 0 for answer in answers).translate(_DIGITS).decode()


class Wire:
    """The decoders of one registry snapshot."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._default = _decoder(SKM_2017)
        self._decoders: dict[str, msgspec.json.Decoder[Submission]] = {SKM_2017.code: self._default}
        self._other = {
            (unit.code, service.code)
            for unit in registry.opd.values()
            for service in unit.layanan.values()
            if service.questionnaire not in {None, SKM_2017.code}
        }

    def read(self, body: bytes) -> Submission | list[Violation]:
        """The submission in `body`, or every reason why it is none (never an empty list)."""
        try:
            submission = self._default.decode(body)
        except (ValueError, RecursionError):
            return self._explain(body)
        if (
            submission.questionnaire is not None
            or (self._other and (submission.opd, submission.layanan) in self._other)
            or _NUL_ESCAPE in body
            or not _plausible(submission.submitted_at)
        ):
            return self._explain(body)
        return submission

    def questionnaire(self, submission: Submission) -> Questionnaire | None:
        """The questionnaire that `submission` answers; None when the one it names is not known (yet)."""
        return self._registry.questionnaire_for(submission.opd, submission.layanan, submission.questionnaire)

    def _explain(self, body: bytes) -> Submission | list[Violation]:
        try:
            document = msgspec.json.decode(body)
        except (ValueError, RecursionError) as error:
            return [Violation("", "malformed-json", f"not a JSON document: {_reason(error)}")]
        questionnaire = self._questionnaire_of(document)
        found = list(islice(violations(document, questionnaire), MOST_VIOLATIONS))
        if found:
            return found
        try:
            return self._decoder_of(questionnaire).decode(body)
        except (ValueError, RecursionError) as error:
            return [Violation("", "invalid", _reason(error))]

    def _questionnaire_of(self, document: object) -> Questionnaire | None:
        if not isinstance(document, Mapping):
            return SKM_2017
        opd, layanan, named = (document.get(field) for field in ("opd", "layanan", "questionnaire"))
        if not isinstance(opd, str) or not isinstance(layanan, str) or not isinstance(named, str | None):
            return SKM_2017
        return self._registry.questionnaire_for(opd, layanan, named)

    def _decoder_of(self, questionnaire: Questionnaire | None) -> "msgspec.json.Decoder[Submission]":
        code = questionnaire.code if questionnaire else ""
        if code not in self._decoders:
            self._decoders[code] = _decoder(questionnaire)
        return self._decoders[code]


def _decoder(questionnaire: Questionnaire | None) -> "msgspec.json.Decoder[Submission]":
    answers = _answers(questionnaire) if questionnaire else dict[str, Score | None]
    compiled = msgspec.defstruct(
        "Submission", [("answers", answers)], bases=(Submission,), kw_only=True, forbid_unknown_fields=True, frozen=True
    )
    return msgspec.json.Decoder(compiled)


def _answers(questionnaire: Questionnaire) -> type[msgspec.Struct]:
    """One field an unsur. A code need not be a Python name ("1-a", "class"): the fields have names of their own."""
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


def _plausible(submitted_at: datetime | None) -> bool:
    return submitted_at is None or FIRST_YEAR <= submitted_at.year <= LAST_YEAR


def _reason(error: Exception) -> str:
    return "too deeply nested" if isinstance(error, RecursionError) else str(error)
