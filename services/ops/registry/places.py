"""The OPDs and layanan that a command names, as the registry has them today."""

from dataclasses import dataclass

from services.ops.registry.keys import UnknownOpd
from shared.clock import utc_now
from shared.domain.errors import IkmError
from shared.domain.window import local_day
from shared.registry.snapshot import Layanan, Opd, Registry
from shared.settings import Settings
from shared.storage.engine import opened, transaction
from shared.storage.registry import stored_registry


class UnknownLayanan(IkmError):
    """There is no such open layanan."""


@dataclass(frozen=True, slots=True)
class OpenPlace:
    """One layanan that can be rated today, with its OPD."""

    opd: Opd
    layanan: Layanan


def read_registry(settings: Settings) -> Registry:
    """Return the registry with the secret of the installation."""
    with opened(settings.need_database()) as engine, transaction(engine) as connection:
        return stored_registry.load_with_secret(connection)


def open_places(
    registry: Registry, opd: str | None = None, layanan: str | None = None
) -> list[OpenPlace]:
    """Return what can be rated today: of an OPD, of one of its layanan, or (None) everything.

    Raises UnknownOpd and UnknownLayanan.
    """
    today = local_day(utc_now(), registry.instansi.zone)
    if opd is not None and opd not in registry.opd:
        raise UnknownOpd(f"{opd}; known: {', '.join(registry.opd) or 'none (ikm apply FILE)'}")
    places = [
        OpenPlace(entry, service)
        for entry in registry.opd.values()
        if opd in (None, entry.code) and entry.is_open(today)
        for service in entry.layanan.values()
        if service.is_open(today)
    ]
    named = [place for place in places if layanan in (None, place.layanan.code)]
    if not named:
        codes = ", ".join(place.layanan.code for place in places) or "none"
        raise UnknownLayanan(f"{opd or ''}/{layanan or ''}; open: {codes}")
    return named
