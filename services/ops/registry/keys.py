"""The keys of senders and readers: made, listed, revoked; stored as hashes."""

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.ops.registry.publication import publish_stored
from shared.clock import utc_now
from shared.domain.errors import IkmError
from shared.domain.window import local_day
from shared.registry.snapshot import Channel, Registry
from shared.registry.tickets import TICKET_KIND
from shared.settings import Settings
from shared.storage.engine import opened, transaction
from shared.storage.registry import access_keys, registry_change, stored_registry
from shared.storage.registry.access_keys import StoredKey

KEY_PREFIX = "ikm_"
_KEY_BYTES = 32  # 43 characters in base64
_ID_BYTES = 4
_READER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,63}")


class UnknownChannel(IkmError):
    """There is no such channel."""


class ClosedChannel(IkmError):
    """The channel is closed."""


class ReaderIsChannel(IkmError):
    """A reader needs a name that is no channel's."""


class InvalidReader(IkmError):
    """The name of a reader is 1 to 64 letters, digits, spaces, dots, hyphens or underscores."""


class TicketsOnly(IkmError):
    """This channel takes tickets, which come through every other channel; it has no keys."""


class UnknownOpd(IkmError):
    """There is no such OPD."""


class UnknownKey(IkmError):
    """There is no such key."""


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What a new key is asked to be; `opd`, the scope of reading, empty: as wide as it can be.

    That is the OPDs of the channel, and all of them for a reader that is none.
    """

    name: str
    may_submit: bool = True
    may_read: bool = False
    opd: Sequence[str] = ()
    label: str | None = None


def create_key(settings: Settings, request: KeyRequest) -> tuple[StoredKey, str]:
    """Make a key and publish it; return what is stored of it and the key, which is shown once."""
    now = utc_now()
    key = KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    with opened(settings.need_database()) as engine:
        with transaction(engine) as connection:
            registry_change.lock(connection)
            stored = _stored(stored_registry.load(connection), request, now)
            access_keys.store(connection, key, stored)
            registry_change.raise_version(connection, now)
        publish_stored(settings, engine)
    return stored, key


def revoke_key(settings: Settings, key_id: str) -> bool:
    """Revoke a key and publish that; return False when it had been revoked before."""
    now = utc_now()
    with opened(settings.need_database()) as engine:
        with transaction(engine) as connection:
            registry_change.lock(connection)
            is_newly_revoked = access_keys.revoke(connection, key_id, now)
            if is_newly_revoked:
                registry_change.raise_version(connection, now)
            elif all(stored.id != key_id for stored in access_keys.list_keys(connection)):
                raise UnknownKey(f"{key_id}; `ikm key list` shows them")
        publish_stored(settings, engine)
    return is_newly_revoked


def list_keys(settings: Settings) -> list[StoredKey]:
    """Return all keys, revoked ones too, without the keys themselves: nobody has those any more."""
    with opened(settings.need_database()) as engine, transaction(engine) as connection:
        return access_keys.list_keys(connection)


def _stored(registry: Registry, request: KeyRequest, now: datetime) -> StoredKey:
    """Return what to store of the key that is asked for; raise what speaks against it."""
    for code in request.opd:
        if code not in registry.opd:
            raise UnknownOpd(f"{code}; known: {_listed(registry.opd)}")
    opd = sorted(set(request.opd)) or None
    if request.may_submit:
        channel = _open_channel(registry, request.name, now)
        if request.may_read and opd is None and channel.opd is not None:
            opd = sorted(channel.opd)
    else:
        _demand_reader(registry, request.name)
    return StoredKey(
        id=secrets.token_hex(_ID_BYTES),
        name=request.name,
        channel=request.name if request.may_submit else None,
        may_submit=request.may_submit,
        may_read=request.may_read,
        opd=opd,
        label=request.label,
        created_at=now,
    )


def _open_channel(registry: Registry, name: str, now: datetime) -> Channel:
    channel = registry.channels.get(name)
    if channel is None:
        raise UnknownChannel(
            f"{name}; known: {_listed(registry.channels)}. A key that only reads: --read"
        )
    if channel.kind == TICKET_KIND:
        raise TicketsOnly(name)
    if channel.valid_to is not None and channel.valid_to < local_day(now, registry.instansi.zone):
        raise ClosedChannel(f"{name}, since {channel.valid_to}")
    return channel


def _demand_reader(registry: Registry, name: str) -> None:
    if not _READER_NAME.fullmatch(name):
        raise InvalidReader(repr(name))
    if name in registry.channels:
        raise ReaderIsChannel(f"{name}; a key of this channel that reads too: --submit --read")


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) if names else "none (run `ikm apply FILE` first)"
