"""JSON bytes → submission, at the speed of one compiled decode.

`shared.domain.submission.check` defines what a submission must be and explains every violation; the
decoder here says yes to nothing that `check` refuses (a property test holds the two together), so
that the long way is only walked by a body that is refused.

The decoder leaves answers and profile as the bytes that they are. Which questionnaire the answers
belong to is only known then; profiles are few and come again and again: what such bytes mean is
read once and remembered.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec

from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.domain.respondent import AGE_MAX, profile_code
from shared.domain.submission.check import violations
from shared.domain.submission.identity import CODE_MAX, COMMENT_MAX, ID_MAX
from shared.domain.submission.instant import FIRST_YEAR, LAST_YEAR
from shared.domain.violation import Violation
from shared.registry.snapshot import Registry

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=CODE_MAX)]
SourceId = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_MAX)]
Score = Annotated[int, msgspec.Meta(ge=1, le=4)]
Comment = Annotated[str, msgspec.Meta(max_length=COMMENT_MAX)]
# The lists of shared.domain.respondent, spelled out for the type checker; a test holds them
# together.
Sex = Literal["L", "P"]
Education = Literal["SD", "SMP", "SMA", "D1", "D2", "D3", "D4", "S1", "S2", "S3"]
Occupation = Literal["PNS", "TNI", "POLRI", "SWASTA", "WIRAUSAHA", "PELAJAR", "LAINNYA"]

MOST_VIOLATIONS = 100  # a hostile body could have a million
_NUL = "\0"  # msgspec accepts its escape, PostgreSQL's text does not hold it


class Respondent(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a respondent says of themself; everything may be absent."""

    sex: Sex | None = None
    age: Annotated[int, msgspec.Meta(ge=0, le=AGE_MAX)] | None = None
    education: Education | None = None
    occupation: Occupation | None = None


class Submission(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """One filled questionnaire as it was sent; `SubmissionDecoder` says what answers and respondent hold."""

    opd: Code
    layanan: Code
    answers: msgspec.Raw
    id: SourceId | None = None
    submitted_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    respondent: msgspec.Raw = msgspec.Raw(b"null")
    comment: Comment | None = None
    questionnaire: Code | None = None


NO_PROFILE = -1
V = TypeVar("V")


class Memo(dict[bytes, V]):
    """What bytes mean, read once. Bounded, also against who sends ever new ones."""

    MOST = 65_536
    LONGEST = 512

    def __init__(self, read: Callable[[bytes], V]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, raw: bytes) -> V:
        """Read it."""
        found = self._read(raw)
        if len(raw) <= self.LONGEST:
            if len(self) >= self.MOST:
                self.clear()
            self[raw] = found
        return found


class AnswersDecoder:
    """How the answers to one questionnaire are read, or to one that is not known (yet)."""

    def __init__(self, questionnaire: Questionnaire | None) -> None:
        self.questionnaire = questionnaire
        kind = _answers(questionnaire) if questionnaire else dict[str, Score | None]
        self._decode: Callable[[msgspec.Raw | bytes], Any] = msgspec.json.Decoder(kind).decode

    def decode(self, raw: msgspec.Raw | bytes) -> Any:  # noqa: ANN401 - a struct of its own for each questionnaire
        """What was answered: a struct with one field an unsur, in questionnaire order, a score or None.

        For a questionnaire that is not known a dict of scores by unsur; None when these are no
        answers.
        """
        try:
            given = self._decode(raw)
        except (ValueError, RecursionError):
            return None
        return None if isinstance(given, dict) and _NUL in "".join(given) else given


def crcs(code: str) -> Sequence[int]:
    """What each score (0: none) of an unsur adds to the sum that tells one set of answers from another."""
    return [0, *(zlib.crc32(f"{code}\0{score}".encode()) for score in range(1, 5))]


class Destination(NamedTuple):
    """Where a submission belongs, by what it says, known to the registry or not; `crc` of all three codes."""

    opd: str
    layanan: str
    named: str | None
    answers_decoder: AnswersDecoder
    crc: int


class SubmissionDecoder:
    """The reading of submissions by one registry snapshot."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._answers_decoders: dict[str, AnswersDecoder] = {}
        self._destinations: dict[tuple[str, str, str | None], Destination | None] = {}
        self.profiles: Memo[int] = Memo(
            _profile
        )  # of shared.domain.respondent.profile_code, or NO_PROFILE

    def decode(self, body: bytes) -> Submission | list[Violation]:
        """The submission in `body`, or every reason why it is none (never an empty list)."""
        try:
            submission = decode_members(body)
        except (ValueError, RecursionError) as error:
            return self._explain(body, error)
        destination = self.destination(submission.opd, submission.layanan, submission.questionnaire)
        if (
            destination is None
            or destination.answers_decoder.decode(submission.answers) is None
            or self.profiles[bytes(submission.respondent)] < 0
            or (submission.comment is not None and _NUL in submission.comment)
            or (submission.id is not None and _NUL in submission.id)
            or not plausible(submission.submitted_at)
        ):
            return self._explain(body, None)
        return submission

    def destination(self, opd: str, layanan: str, named: str | None) -> Destination | None:
        """Where a submission with these codes belongs; None when one of them can be no code."""
        key = (opd, layanan, named)
        try:
            return self._destinations[key]
        except KeyError:
            if len(self._destinations) >= Memo.MOST:
                self._destinations.clear()
            found = self._destinations[key] = self._found(opd, layanan, named)
            return found

    def _found(self, opd: str, layanan: str, named: str | None) -> Destination | None:
        codes = (opd, layanan, named or "")
        if _NUL in "".join(codes):
            return None
        answers_decoder = self._answers_decoder(
            self._registry.questionnaire_for(opd, layanan, named)
        )
        return Destination(
            opd, layanan, named, answers_decoder, zlib.crc32(_NUL.join(codes).encode())
        )

    def _answers_decoder(self, questionnaire: Questionnaire | None) -> AnswersDecoder:
        code = questionnaire.code if questionnaire else ""
        if code not in self._answers_decoders:
            self._answers_decoders[code] = AnswersDecoder(questionnaire)
        return self._answers_decoders[code]

    def _explain(self, body: bytes, error: Exception | None) -> list[Violation]:
        try:
            document = msgspec.json.decode(body)
        except (ValueError, RecursionError) as malformed:
            return [Violation("", "malformed-json", f"not a JSON document: {_reason(malformed)}")]
        found = list(
            islice(violations(document, self._questionnaire_of(document)), MOST_VIOLATIONS)
        )
        # A member that stands twice, once wrong: the document holds the last one alone.
        return found or [
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


# The members of a submission and their types; raises ValueError or RecursionError.
decode_members: Callable[[bytes], Submission] = msgspec.json.Decoder(Submission).decode


def plausible(submitted_at: datetime | None) -> bool:
    """Whether a time is none, or lies in a year that every zone and window can hold."""
    return submitted_at is None or FIRST_YEAR <= submitted_at.year <= LAST_YEAR


def _profile(raw: bytes) -> int:
    try:
        who = _decode_respondent(raw)
    except (ValueError, RecursionError):
        return NO_PROFILE
    return 0 if who is None else profile_code(who.sex, who.age, who.education, who.occupation)


_decode_respondent = msgspec.json.Decoder(Respondent | None).decode


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


def _reason(error: Exception) -> str:
    return "too deeply nested" if isinstance(error, RecursionError) else str(error)
