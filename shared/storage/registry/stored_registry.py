"""The registry in PostgreSQL: read as a snapshot, changed in one transaction, with a version that only grows."""

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
from shared.registry.snapshot import Channel, Instansi, Key, Layanan, Opd, Registry
from shared.storage import tables
from shared.storage.registry.registry_usage import usage


def read_version(connection: sa.Connection) -> int:
    """The version of the registry as it is; 0 before anything was applied."""
    return connection.scalar(sa.select(tables.registry_version.c.version)) or 0


def load(connection: sa.Connection) -> Registry:
    """The registry as it is. Its version is read first: a change made meanwhile is then fetched again, not missed."""
    found = read_version(connection)
    instansi = connection.execute(sa.select(tables.instansi)).one_or_none()
    return Registry(
        version=found,
        instansi=Registry.empty().instansi if instansi is None else _instansi(instansi),
        opd=_opd(connection),
        channels={
            row.name: _channel(row)
            for row in _rows(connection, tables.channel, tables.channel.c.name)
        },
        keys=_keys(connection),
        questionnaires=_questionnaires(connection),
    )


def apply(
    connection: sa.Connection,
    desired: Document,
    now: datetime,
    *,
    prune: bool = False,
    dry_run: bool = False,
) -> list[Change]:
    """Bring the registry to what the document says; return the difference, empty when there was none.

    Raises RegistryError with every objection, having changed nothing. A dry run only looks.
    """
    if not dry_run:
        lock(connection)
    current, used = load(connection), usage(connection)
    zone = (desired.instansi or current.instansi).zone
    changes = difference(current, desired, used, local_day(now, zone), prune=prune)
    if violations := objections(current, changes, used):
        raise RegistryError(violations)
    if changes and not dry_run:
        _write(connection, changes)
        raise_version(connection, now)
    return changes


def lock(connection: sa.Connection) -> None:
    """Wait until no other transaction is changing the registry, and keep others waiting until this one ends."""
    single = tables.registry_version
    connection.execute(insert(single).values(single=True, version=0).on_conflict_do_nothing())
    connection.execute(sa.select(single.c.version).with_for_update())


def raise_version(connection: sa.Connection, now: datetime) -> None:
    """Give the registry its next version: greater than the last one, and at least the Unix time in milliseconds."""
    single = tables.registry_version
    floor = int(now.timestamp() * 1000)
    connection.execute(
        sa.update(single).values(version=sa.func.greatest(single.c.version + 1, floor))
    )


def _write(connection: sa.Connection, changes: Sequence[Change]) -> None:
    after = [change.after for change in changes]
    _write_questionnaires(
        connection, [SKM_2017, *(entry for entry in after if isinstance(entry, Questionnaire))]
    )
    for instansi in (entry for entry in after if isinstance(entry, Instansi)):
        connection.execute(sa.delete(tables.instansi))
        connection.execute(sa.insert(tables.instansi).values(_instansi_row(instansi)))
    # One statement each: an OPD may name a successor that comes after it.
    _upsert(connection, tables.opd, [_opd_row(entry) for entry in after if isinstance(entry, Opd)])
    services = [
        (change.opd_code, change.after) for change in changes if isinstance(change.after, Layanan)
    ]
    _upsert(connection, tables.layanan, [_layanan_row(opd, entry) for opd, entry in services])
    _upsert(
        connection,
        tables.channel,
        [_channel_row(entry) for entry in after if isinstance(entry, Channel)],
    )
    _touch(connection, changes)


def _touch(connection: sa.Connection, changes: Sequence[Change]) -> None:
    """Mark OPDs stale: a population changes a confidence interval, a scheme changes every figure."""
    state = tables.opd_state
    codes = sorted({change.opd_code for change in changes if change.opd_code})
    if codes:
        connection.execute(
            insert(state).values([{"opd": code} for code in codes]).on_conflict_do_nothing()
        )
    touched = sa.select(state.c.opd).order_by(
        state.c.opd.collate("C")
    )  # in the order in which batches lock them
    if not any(isinstance(change.after, Instansi) for change in changes):
        touched = touched.where(state.c.opd.in_(codes))
    locked = list(connection.scalars(touched.with_for_update()))
    stale = {"version": state.c.version + 1, "past_version": state.c.version + 1}
    connection.execute(sa.update(state).where(state.c.opd.in_(locked)).values(stale))


def _rows(
    connection: sa.Connection, table: sa.Table, *order: sa.Column[Any]
) -> sa.CursorResult[Any]:
    return connection.execute(sa.select(table).order_by(*order))


def _opd(connection: sa.Connection) -> dict[str, Opd]:
    services: dict[str, dict[str, Layanan]] = {}
    for row in _rows(connection, tables.layanan, tables.layanan.c.opd, tables.layanan.c.code):
        services.setdefault(row.opd, {})[row.code] = Layanan(
            row.code, row.name, row.users_per_year, row.questionnaire, row.valid_from, row.valid_to
        )
    return {
        row.code: Opd(
            row.code,
            row.name,
            row.official_code,
            row.valid_from,
            row.valid_to,
            row.successor,
            services.get(row.code, {}),
        )
        for row in _rows(connection, tables.opd, tables.opd.c.code)
    }


def _keys(connection: sa.Connection) -> dict[str, Key]:
    key = tables.channel_key
    valid = (
        sa.select(key.c.hash, key.c.id, key.c.channel)
        .where(key.c.revoked_at.is_(None))
        .order_by(key.c.id)
    )
    return {row.hash: Key(row.id, row.channel) for row in connection.execute(valid)}


def _questionnaires(connection: sa.Connection) -> dict[str, Questionnaire]:
    stored = _rows(connection, tables.questionnaire, tables.questionnaire.c.code)
    found = {row.code: msgspec.convert(row.definition, Questionnaire) for row in stored}
    return {**found, SKM_2017.code: SKM_2017}


def _instansi(row: sa.Row[Any]) -> Instansi:
    return Instansi(row.code, row.name, row.timezone, row.primary_rollup, row.scheme)


def _channel(row: sa.Row[Any]) -> Channel:
    opd = None if row.opd is None else frozenset(row.opd)
    return Channel(row.name, row.kind, opd, row.valid_from, row.valid_to)


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
    return {"name": entry.name, "kind": entry.kind, "opd": opd, **_validity(entry)}


def _validity(entry: Opd | Layanan | Channel) -> dict[str, Any]:
    return {"valid_from": entry.valid_from, "valid_to": entry.valid_to}


def _write_questionnaires(connection: sa.Connection, entries: Iterable[Questionnaire]) -> None:
    rows = [{"code": entry.code, "definition": msgspec.to_builtins(entry)} for entry in entries]
    _upsert(connection, tables.questionnaire, rows)


def _upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert(table).values(list(rows))
    changed = {
        column.name: statement.excluded[column.name] for column in table.c if not column.primary_key
    }
    connection.execute(statement.on_conflict_do_update(constraint=table.primary_key, set_=changed))
