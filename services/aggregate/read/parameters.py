"""The query parameters: their form (in the OpenAPI document too) and their meaning.

What has the wrong form is refused with 422; values that are each right and make no sense together
with 409. A parameter that is not known, or given twice, is refused: a misspelt one would silently
give another figure.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.aggregate.read.answer import AnswerKey
from shared.domain.submission.identity import CODE_MAX
from shared.domain.window import Window, named_window, window_between
from shared.problems import Refused, problem, query_violation

DEFAULT_WINDOW = "all"
ABSENT = ""  # no parameter may have this value, so it stands for one that was not given
INDEX, OPD_INDEX, HOME = "/v1/ikm", "/v1/opd/{opd}/ikm", "/"  # whose answers are kept
DEFAULT_WINDOWS: Final = {INDEX: DEFAULT_WINDOW, OPD_INDEX: DEFAULT_WINDOW, HOME: "12m"}
_PLAIN_MAX: Final = 2 * CODE_MAX + 64  # characters: what is remembered must stay small
_OPD_PATH: Final = re.compile(OPD_INDEX.replace("{opd}", "([^/]+)"))
_PLAIN_PARAMETER: Final = re.compile(rb"(window|layanan)=[0-9A-Za-z-]+")
WINDOW_PATTERN = (
    r"^(today|7d|30d|90d|365d|3m|12m|all|[1-9][0-9]{3}(-(S[12]|Q[1-4]|0[1-9]|1[0-2]))?)$"
)
Facet = Literal["sex", "age", "education", "occupation", "layanan", "channel"]
RespondentFacet = Literal["sex", "age", "education", "occupation", "channel"]
Step = Literal["day", "week", "month"]


def _real_day(text: str) -> str:
    date.fromisoformat(text)
    return text


WindowName = Annotated[
    str,
    Field(
        pattern=WINDOW_PATTERN,
        description=(
            "Jendela waktu / window of local days: a month (2026-05), a triwulan (2026-Q3), "
            "a semester (2026-S1), a year (2026), 3m and 12m (this month and those before), all; "
            "with a key that may read also today, 7d, 30d, 90d, 365d. "
            f"Default: {DEFAULT_WINDOW}. "
            "Not together with from or to."
        ),
        examples=["12m"],
    ),
]
Day = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description=(
            "Hari setempat, termasuk / local day, included. Default: open on this side. "
            "With a key that may read."
        ),
        json_schema_extra={"format": "date"},
        examples=["2026-05-04"],
    ),
    AfterValidator(_real_day),
]
LayananCode = Annotated[
    str,
    Field(
        min_length=1,
        max_length=CODE_MAX,
        description="Kode layanan; default: the whole OPD",
        examples=["ktp-el"],
    ),
]


def plainly_asked(path: str, query: bytes) -> AnswerKey | None:
    """Return what a request asks for, if its parameters are spelt as plainly as can be.

    None for any other spelling and any other path: those are read by the routes.
    """
    if len(path) + len(query) > _PLAIN_MAX:
        return None
    return _plainly_asked(path, query)


@lru_cache(maxsize=4096)  # the same few hundred questions are asked again and again
def _plainly_asked(path: str, query: bytes) -> AnswerKey | None:
    of_opd = _OPD_PATH.fullmatch(path)
    route, opd = (path, "") if of_opd is None else (OPD_INDEX, of_opd[1])
    if route not in DEFAULT_WINDOWS:
        return None
    given = {b"window": DEFAULT_WINDOWS[route].encode(), b"layanan": b""}
    if query:
        parts = query.split(b"&", len(given))
        parameters = dict(part.split(b"=", 1) for part in parts if _PLAIN_PARAMETER.fullmatch(part))
        if len(parameters) < len(parts):
            return None
        given |= parameters
    return AnswerKey(route, opd, given[b"layanan"].decode(), given[b"window"].decode())


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Day = Field(ABSENT, alias="from")
    last: Day = Field(ABSENT, alias="to")

    def requested_days(self) -> tuple[date | None, date | None]:
        """Return the days asked for; None where that side is open."""
        first, last = (date.fromisoformat(day) if day else None for day in (self.first, self.last))
        if first is not None and last is not None and first > last:
            raise contradiction("the period ends before it begins", "from", "to")
        return first, last


class _Windowed(_Query):
    window: WindowName = ABSENT

    def requested_window(self, today: date) -> Window:
        """Return the window that is meant, on this local day."""
        first, last = self.requested_days()
        if first is None and last is None:
            return named_window(self.window or DEFAULT_WINDOW, today)
        if self.window:
            raise contradiction(
                "give a window, or from and to", "window", "from" if first is not None else "to"
            )
        return window_between(first, last)


class InstansiQuery(_Windowed):
    """The query of the instansi and all its OPDs."""


class OpdQuery(_Windowed):
    """The query of one OPD."""

    layanan: LayananCode = ABSENT
    verified: Annotated[
        Literal["true", "false"],
        Field(
            description=(
                "Hanya jawaban dengan tiket / responses that came with a ticket alone; "
                "with a key that may read"
            )
        ),
    ] = "false"


class TrendQuery(_Query):
    """The query of a trend."""

    step: Annotated[
        Step,
        Field(
            description=(
                "Langkah / step: a month; with a key that may read also a local day, an ISO week"
            )
        ),
    ] = "month"
    layanan: LayananCode = ABSENT


class BreakdownQuery(_Windowed):
    """The query of a breakdown."""

    by: Annotated[Facet, Field(description="Rincian menurut / by what")]


class InstansiBreakdownQuery(_Windowed):
    """The query of a breakdown of the instansi."""

    by: Annotated[RespondentFacet, Field(description="Rincian menurut / by what")]


def contradiction(detail: str, *parameters: str) -> Refused:
    """Return the refusal of parameters that are each right."""
    violations = [query_violation(parameter, "contradiction", detail) for parameter in parameters]
    return Refused(problem("contradictory-parameters", detail, errors=violations))
