"""Changes of the registry in PostgreSQL: one transaction each, with a version that only grows."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.domain.window import local_day
from shared.registry.change import Change, difference
from shared.registry.file import Document, RegistryError
from shared.registry.rules import objections
from shared.registry.snapshot import Channel, Instansi, Layanan, Opd
from shared.storage import tables
from shared.storage.registry import stored_registry
from shared.storage.registry.registry_usage import read_usage
from shared.storage.registry.stored_registry import load


def apply(
    connection: sa.Connection,
    desired: Document,
    now: datetime,
    *,
    prune: bool = False,
    dry_run: bool = False,
) -> list[Change]:
    """Bring the registry to what the document says; return the difference, empty if there is none.

    Raises RegistryError with every objection, having changed nothing. A dry run only looks.
    """
    if not dry_run:
        lock(connection)
    current, usage = load(connection), read_usage(connection)
    zone = (desired.instansi or current.instansi).zone
    changes = difference(current, desired, usage, local_day(now, zone), prune=prune)
    if violations := objections(current, changes, usage):
        raise RegistryError(violations)
    if changes and not dry_run:
        _write(connection, changes)
        raise_version(connection, now)
    return changes


def lock(connection: sa.Connection) -> None:
    """Wait until nobody changes the registry or counts by it; keep others waiting likewise.

    They wait until the commit.
    """
    stored_registry.lock(connection)
    single = tables.registry_version
    connection.execute(insert(single).values(single=True, version=0).on_conflict_do_nothing())


def raise_version(connection: sa.Connection, now: datetime) -> None:
    """Give the registry a greater version, at least the Unix time in milliseconds."""
    single = tables.registry_version
    now_ms = int(now.timestamp() * 1000)
    connection.execute(
        sa.update(single).values(version=sa.func.greatest(single.c.version + 1, now_ms))
    )


def _write(connection: sa.Connection, changes: Sequence[Change]) -> None:
    entries = [change.after for change in changes]
    questionnaires = [entry for entry in entries if isinstance(entry, Questionnaire)]
    opds = [entry for entry in entries if isinstance(entry, Opd)]
    channels = [entry for entry in entries if isinstance(entry, Channel)]
    layanan = [
        _layanan_row(change.opd_code, change.after)
        for change in changes
        if isinstance(change.after, Layanan)
    ]
    _upsert(connection, tables.questionnaire, map(_questionnaire_row, [SKM_2017, *questionnaires]))
    for instansi in (entry for entry in entries if isinstance(entry, Instansi)):
        connection.execute(sa.delete(tables.instansi))
        connection.execute(sa.insert(tables.instansi).values(_instansi_row(instansi)))
    _upsert(connection, tables.opd, map(_opd_row, opds))
    _upsert(connection, tables.layanan, layanan)
    _upsert(connection, tables.channel, map(_channel_row, channels))
    _mark_stale(connection, changes)


def _mark_stale(connection: sa.Connection, changes: Sequence[Change]) -> None:
    """Make OPDs stale: a population changes confidence intervals, a scheme every figure."""
    state = tables.opd_state
    codes = sorted({change.opd_code for change in changes if change.opd_code})
    if codes:
        connection.execute(
            insert(state).values([{"opd": code} for code in codes]).on_conflict_do_nothing()
        )
    # In the order in which batches lock them.
    touched = sa.select(state.c.opd).order_by(state.c.opd.collate("C"))
    if not any(isinstance(change.after, Instansi) for change in changes):
        touched = touched.where(state.c.opd.in_(codes))
    locked = list(connection.scalars(touched.with_for_update()))
    next_version = {"version": state.c.version + 1, "past_version": state.c.version + 1}
    connection.execute(sa.update(state).where(state.c.opd.in_(locked)).values(next_version))


def _questionnaire_row(entry: Questionnaire) -> dict[str, Any]:
    return {"code": entry.code, "definition": msgspec.to_builtins(entry)}


def _instansi_row(entry: Instansi) -> dict[str, Any]:
    return {
        "code": entry.code,
        "name": entry.name,
        "timezone": entry.timezone,
        "primary_rollup": entry.primary,
        "scheme": entry.scheme,
    }


def _opd_row(entry: Opd) -> dict[str, Any]:
    return {
        "code": entry.code,
        "name": entry.name,
        "official_code": entry.official_code,
        "successor": entry.successor,
        "ticket_required": entry.ticket_required,
        **_validity(entry),
    }


def _layanan_row(opd: str, entry: Layanan) -> dict[str, Any]:
    return {
        "opd": opd,
        "code": entry.code,
        "name": entry.name,
        "users_per_year": entry.users_per_year,
        "questionnaire": entry.questionnaire,
        **_validity(entry),
    }


def _channel_row(entry: Channel) -> dict[str, Any]:
    opd = None if entry.opd is None else sorted(entry.opd)
    return {
        "name": entry.name,
        "kind": entry.kind,
        "opd": opd,
        "settings": dict(entry.settings),
        **_validity(entry),
    }


def _validity(entry: Opd | Layanan | Channel) -> dict[str, Any]:
    return {"valid_from": entry.valid_from, "valid_to": entry.valid_to}


def _upsert(connection: sa.Connection, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows in one statement: an OPD may name a successor that comes after it."""
    values = list(rows)
    if not values:
        return
    statement = insert(table).values(values)
    changed = {
        column.name: statement.excluded[column.name] for column in table.c if not column.primary_key
    }
    connection.execute(statement.on_conflict_do_update(constraint=table.primary_key, set_=changed))
