"""The registry in PostgreSQL, read as a snapshot."""

from dataclasses import replace
from typing import Any

import msgspec
import sqlalchemy as sa

from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.registry.snapshot import AccessKey, Channel, Instansi, Layanan, Opd, Registry
from shared.storage import tables
from shared.storage.registry import channel_secrets

_REGISTRY_LOCK = 0x494B4D_47  # "IKMG"
# Share the registry with all who only read it; keep it for oneself.
_SHARE_LOCK = sa.text("SELECT pg_advisory_xact_lock_shared(:lock)")
_LOCK = sa.text("SELECT pg_advisory_xact_lock(:lock)")


def hold(connection: sa.Connection) -> None:
    """Let nobody change the registry until this transaction ends.

    Who counts holds it, so a change is seen by every count that commits after it. It is the first
    lock of a transaction: else two could wait for each other.
    """
    connection.execute(_SHARE_LOCK, {"lock": _REGISTRY_LOCK})


def lock(connection: sa.Connection) -> None:
    """Wait until nobody counts by the registry or changes it; keep others waiting likewise."""
    connection.execute(_LOCK, {"lock": _REGISTRY_LOCK})


def read_version(connection: sa.Connection) -> int:
    """Return the version of the registry as it is; 0 before anything was applied."""
    return connection.scalar(sa.select(tables.registry_version.c.version)) or 0


def load(connection: sa.Connection) -> Registry:
    """Return the registry as it is, without the secret: most who read it make no receipts.

    Its version is read first: a change made meanwhile is then fetched again, not missed.
    """
    version = read_version(connection)
    return Registry(
        version=version,
        instansi=_read_instansi(connection),
        opd=_read_opds(connection),
        channels=_read_channels(connection),
        keys=_read_keys(connection),
        questionnaires=_read_questionnaires(connection),
    )


def load_with_secret(connection: sa.Connection) -> Registry:
    """Return the registry for those who make receipts: workers, and ingest by way of Redis.

    It has the secrets of the channels too.
    """
    registry, secrets = load(connection), channel_secrets.read(connection)
    channels = {
        name: replace(channel, secrets=secrets.get(name, {}))
        for name, channel in registry.channels.items()
    }
    return replace(registry, channels=channels, secret=read_secret(connection))


def read_secret(connection: sa.Connection) -> bytes:
    """Return the secret from which receipts follow; nothing when somebody removed it."""
    secret = connection.scalar(sa.select(tables.installation.c.secret))
    return bytes(secret or b"")


def _select_all(
    connection: sa.Connection, table: sa.Table, *order: sa.Column[Any]
) -> sa.CursorResult[Any]:
    return connection.execute(sa.select(table).order_by(*order))


def _read_instansi(connection: sa.Connection) -> Instansi:
    row = connection.execute(sa.select(tables.instansi)).one_or_none()
    if row is None:
        return Registry.empty().instansi
    return Instansi(row.code, row.name, row.timezone, row.primary_rollup, row.scheme)


def _read_opds(connection: sa.Connection) -> dict[str, Opd]:
    layanan = _read_layanan(connection)
    return {
        row.code: Opd(
            row.code,
            row.name,
            row.official_code,
            row.valid_from,
            row.valid_to,
            row.successor,
            layanan.get(row.code, {}),
            row.ticket_required,
        )
        for row in _select_all(connection, tables.opd, tables.opd.c.code)
    }


def _read_layanan(connection: sa.Connection) -> dict[str, dict[str, Layanan]]:
    """Return the layanan of each OPD."""
    layanan: dict[str, dict[str, Layanan]] = {}
    table = tables.layanan
    for row in _select_all(connection, table, table.c.opd, table.c.code):
        layanan.setdefault(row.opd, {})[row.code] = Layanan(
            row.code, row.name, row.users_per_year, row.questionnaire, row.valid_from, row.valid_to
        )
    return layanan


def _read_channels(connection: sa.Connection) -> dict[str, Channel]:
    return {
        row.name: Channel(
            row.name,
            row.kind,
            None if row.opd is None else frozenset(row.opd),
            row.valid_from,
            row.valid_to,
            row.settings,
        )
        for row in _select_all(connection, tables.channel, tables.channel.c.name)
    }


def _read_keys(connection: sa.Connection) -> dict[str, AccessKey]:
    key = tables.access_key
    valid = sa.select(key).where(key.c.revoked_at.is_(None)).order_by(key.c.id)
    return {
        row.hash: AccessKey(
            row.id,
            row.channel,
            row.may_submit,
            row.may_read,
            None if row.opd is None else frozenset(row.opd),
        )
        for row in connection.execute(valid)
    }


def _read_questionnaires(connection: sa.Connection) -> dict[str, Questionnaire]:
    rows = _select_all(connection, tables.questionnaire, tables.questionnaire.c.code)
    stored = {row.code: msgspec.convert(row.definition, Questionnaire) for row in rows}
    return {**stored, SKM_2017.code: SKM_2017}
