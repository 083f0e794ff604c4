"""Users in a year: the population that respondents are a sample of; None where it is not known."""

from collections.abc import Iterable
from datetime import date

from shared.registry.snapshot import Opd, Registry


def of_layanan(opd: Opd, layanan: str) -> int | None:
    """Return the users of one layanan."""
    return opd.layanan[layanan].users_per_year if layanan in opd.layanan else None


def of_opd(opd: Opd, day: date) -> int | None:
    """Return the users of the layanan that are open on a day."""
    return together(
        layanan.users_per_year for layanan in opd.layanan.values() if layanan.is_open(day)
    )


def of_instansi(registry: Registry, day: date) -> int | None:
    """Return the users of all OPDs that are open on a day and have layanan."""
    return together(
        of_opd(opd, day) for opd in registry.opd.values() if opd.layanan and opd.is_open(day)
    )


def together(users: Iterable[int | None]) -> int | None:
    """Return the users of several together: known only when there is one and all are known."""
    parts = list(users)
    return sum(part or 0 for part in parts) if parts and None not in parts else None
