"""What is kept in memory: answers by their question, within a limit, until their rows change."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from services.aggregate.read import snapshot
from services.aggregate.read.answer import AnswerKey, PreparedAnswer
from services.aggregate.read.parameters import plainly_asked
from services.aggregate.read.snapshot import CurrentSnapshot, ViewRows
from shared.registry.snapshot import Registry
from shared.storage.released.rows import ReleasedRow

TODAY = date(2026, 11, 3)
NOW = datetime(2026, 11, 3, 5, tzinfo=UTC)


def key(window: str) -> AnswerKey:
    return AnswerKey("/v1/ikm", "", "", window)


def row(respondents: int) -> ReleasedRow:
    return ReleasedRow(
        opd="dinkes",
        layanan="",
        window="all",
        first=None,
        last=None,
        respondents=respondents,
        ikm=None,
        mutu=None,
        ci_low=None,
        ci_high=None,
        scheme="exact",
        detail=msgspec.Raw(b"{}"),
        version=1,
        released_at=NOW,
        withheld=False,
    )


def test_answers_have_a_limit_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "ANSWERS_MAX_BYTES", 10_000)
    rows: ViewRows[ReleasedRow] = ViewRows({})
    for number in range(100):
        rows.keep(key(str(number)), TODAY, PreparedAnswer.of(b"x" * 1000))
    kept = rows.answers(TODAY)
    assert 0 < len(kept) * 1000 <= 10_000
    assert key("0") in kept


def test_answers_are_of_one_day() -> None:
    rows: ViewRows[ReleasedRow] = ViewRows({})
    rows.keep(key("all"), TODAY, PreparedAnswer.of(b"1"))
    assert key("all") in rows.answers(TODAY)
    assert rows.answers(date(2026, 11, 4)) == {}


def test_public_answers_stay_while_no_public_row_is_different() -> None:
    current = CurrentSnapshot()
    current.replace(Registry.empty(), [], [row(5)])
    assert current.snapshot is not None
    current.snapshot.public.keep(key("all"), TODAY, PreparedAnswer.of(b"1"))
    current.update({"dinkes"}, [], [row(5)])
    assert key("all") in current.snapshot.public.answers(TODAY)
    current.update({"dinkes"}, [], [row(10)])
    assert current.snapshot.public.answers(TODAY) == {}


@pytest.mark.parametrize(
    ("path", "query", "asked"),
    [
        ("/v1/ikm", b"", AnswerKey("/v1/ikm", "", "", "all")),
        ("/", b"", AnswerKey("/", "", "", "12m")),
        ("/v1/opd/a/ikm", b"layanan=b&window=3m", AnswerKey("/v1/opd/{opd}/ikm", "a", "b", "3m")),
        ("/v1/opd/a/ikm", b"window=3m&layanan=b", AnswerKey("/v1/opd/{opd}/ikm", "a", "b", "3m")),
        ("/v1/opd/a/ikm", b"window=3m&window=3m", None),
        ("/v1/opd/a/ikm", b"window=%33m", None),
        ("/v1/opd/a/ikm", b"windw=3m", None),
        ("/v1/opd/a/ikm", b"window=3m&", None),
        ("/v1/opd/a/ikm", b"window=3m&layanan=b&x=1", None),
        ("/v1/opd/a/trend", b"", None),
        ("/metrics", b"", None),
        ("/v1/opd/ikm", b"", None),
        ("/v1/opd/a/ikm", b"window=" + b"3" * 1000, None),
    ],
)
def test_a_question_is_known_by_what_it_asks(
    path: str, query: bytes, asked: AnswerKey | None
) -> None:
    assert plainly_asked(path, query) == asked
