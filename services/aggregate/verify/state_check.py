"""Every OPD is one that a refresh looks at, and its versions and days are possible."""

from collections.abc import Iterator

import sqlalchemy as sa

from services.aggregate.verify.findings import in_words
from shared.registry.snapshot import Registry
from shared.storage.checks import state_checks


def impossible(connection: sa.Connection, registry: Registry) -> Iterator[str]:
    """Yield the states and versions that no counting and no refresh can leave behind."""
    zone = registry.instansi.timezone
    for mismatches in state_checks.impossible_states(connection, zone):
        yield from in_words("opd_state", mismatches)
    for mismatches in state_checks.impossible_versions(connection):
        yield from in_words("rolling_ikm", mismatches)


def never_refreshed(connection: sa.Connection) -> Iterator[str]:
    """Yield the OPDs that no refresh ever looks at."""
    for table, opd in state_checks.without_state(connection):
        yield f"{table} has {opd}, but opd_state does not know it: never refreshed"
