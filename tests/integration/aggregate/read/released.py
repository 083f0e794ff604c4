"""Released figures put into the tables directly, as a refresh would have after some steps."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec
import sqlalchemy as sa

from services.aggregate.rolling.rolling_rows import Detail, encode
from services.aggregate.rolling.rollup import roll_up
from services.aggregate.rolling.summary import summarise
from shared.domain.ikm import SCHEMES
from shared.domain.questionnaire import SKM_2017
from shared.domain.tally import Tally
from shared.domain.window import Window, periods_of, public_windows
from shared.storage import tables
from shared.storage.engine import transaction
from shared.storage.released import rows
from shared.storage.released.rows import ReleasedRow
from shared.storage.rolling import ALL_LAYANAN, INSTANSI, announce
from tests.builders import tally_of

Layanan = tuple[str, str]  # OPD and layanan
VERSION = 1


def release(
    engine: sa.Engine, released: Mapping[Layanan, Sequence[str]], month: date, now: datetime
) -> None:
    """Release the responses of one month: its bins, and rows of the windows kept ready."""
    opds = {opd for opd, _ in released}
    everybody = [response for responses in released.values() for response in responses]
    groups: dict[Layanan, list[str]] = {(INSTANSI, ALL_LAYANAN): everybody}
    for (opd, layanan), responses in released.items():
        groups[opd, layanan] = list(responses)
        groups[opd, ALL_LAYANAN] = [*groups.get((opd, ALL_LAYANAN), ()), *responses]
    with transaction(engine) as connection:
        connection.execute(
            sa.insert(tables.released_tally),
            [
                _part(place, responses, month, now)
                for place, responses in released.items()
                if responses
            ],
        )
        rows.replace_rows(
            connection,
            [
                _row(place, window, responses, now)
                for window in public_windows(month)
                for place, responses in groups.items()
            ],
        )
        announce(connection, sorted(opds))


def _part(
    place: Layanan, responses: Sequence[str], month: date, now: datetime
) -> dict[str, object]:
    (period, *_), tally = periods_of(month), _tally(responses)
    return {
        "opd": place[0],
        "layanan": place[1],
        "period": period.name,
        "questionnaire": SKM_2017.code,
        "part": "released",
        "pool": "",
        "first": period.first,
        "last": period.last,
        "n": tally.n,
        "counts": list(tally.counts),
        "complete": tally.complete,
        "total": tally.total,
        "total_sq": tally.total_sq,
        "steps": 1,
        "released_at": now,
    }


def _row(place: Layanan, window: Window, responses: Sequence[str], now: datetime) -> ReleasedRow:
    summary = summarise(SKM_2017, _tally(responses), None, SCHEMES["exact"])
    low, high = summary.ci95 or (None, None)
    rollup = roll_up(summary, [], "pooled") if place[0] == INSTANSI else None
    return ReleasedRow(
        opd=place[0],
        layanan=place[1],
        window=window.name,
        first=window.first,
        last=window.last,
        respondents=summary.respondents,
        ikm=summary.ikm,
        mutu=summary.mutu,
        ci_low=low,
        ci_high=high,
        scheme=summary.scheme,
        detail=msgspec.Raw(
            encode(Detail(summary.unsur, summary.comparison, summary.sample, rollup))
        ),
        version=VERSION,
        released_at=now if responses else None,
        withheld=not responses,
    )


def _tally(responses: Sequence[str]) -> Tally:
    tally = Tally.zero(SKM_2017.size)
    for response in responses:
        tally += tally_of([int(score) for score in response], SKM_2017.weights)
    return tally
