"""Day tallies put into the tables directly, as counting would have added them."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.domain.tally import Tally
from shared.storage import tables
from shared.storage.engine import transaction
from tests.builders import tally_of

ZONE = "Asia/Jakarta"
FIRST_VERSION = 1
_ONE_AT_A_TIME = 1


def registry(
    connection: sa.Connection, opds: dict[str, dict[str, int | None]], **instansi: str
) -> None:
    """OPDs with their layanan and the users of these in a year."""
    connection.execute(
        insert(tables.instansi).values(
            {"code": "kota", "name": "Kota Contoh", "timezone": ZONE, **instansi}
        )
    )
    connection.execute(insert(tables.registry_version).values(version=FIRST_VERSION))
    for code, layanan in opds.items():
        connection.execute(insert(tables.opd).values(code=code, name=f"Dinas {code}"))
        for service, users in layanan.items():
            values = {
                "opd": code,
                "code": service,
                "name": f"Layanan {service}",
                "users_per_year": users,
            }
            connection.execute(insert(tables.layanan).values(values))


def count(
    connection: sa.Connection,
    opd: str,
    layanan: str,
    day: date,
    responses: Sequence[str],
    *,
    today: date,
    cell: tuple[str, str] = ("all", ""),
    questionnaire: Questionnaire = SKM_2017,
) -> None:
    """Add responses, written as digits ("443444433"), to one day tally, and make the OPD stale."""
    tally = Tally.zero(questionnaire.size)
    for response in responses:
        tally += tally_of(
            [None if digit == "-" else int(digit) for digit in response], questionnaire.weights
        )
    _add(connection, (opd, cell[0], day, layanan, cell[1], questionnaire.code), tally)
    state = tables.opd_state
    bump = insert(state).values(opd=opd, version=1, past_version=int(day < today))
    touched = {"version": state.c.version + 1}
    if day < today:
        touched["past_version"] = state.c.version + 1
    connection.execute(bump.on_conflict_do_update(index_elements=["opd"], set_=touched))


def _add(
    connection: sa.Connection, key: tuple[str, str, date, str, str, str], tally: Tally
) -> None:
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
    table = tables.day_tally
    names = ("opd", "facet", "day", "layanan", "value", "questionnaire")
    where = [table.c[name] == part for name, part in zip(names, key, strict=True)]
    row = connection.execute(sa.select(table).where(*where)).one_or_none()
    if row is not None:
        tally += Tally(row.n, tuple(row.counts), row.complete, row.total, row.total_sq)
    values = {
        "n": tally.n,
        "counts": list(tally.counts),
        "complete": tally.complete,
        "total": tally.total,
        "total_sq": tally.total_sq,
    }
    statement = insert(table).values({**dict(zip(names, key, strict=True)), **values})
    connection.execute(statement.on_conflict_do_update(constraint=table.primary_key, set_=values))


def counted(
    engine: sa.Engine, opd: str, layanan: str, day: date, *responses: str, today: date
) -> None:
    """One batch in one transaction."""
    with transaction(engine) as connection:
        count(connection, opd, layanan, day, responses, today=today)
