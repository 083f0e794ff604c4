"""Every response is one that the registry admits, on the local day on which it was answered."""

from collections.abc import Iterator

import sqlalchemy as sa

from services.aggregate.verify.findings import in_words
from shared.registry.snapshot import Registry
from shared.storage.checks import response_checks


def invalid(connection: sa.Connection, registry: Registry) -> Iterator[str]:
    """Yield what no valid submission could have made."""
    for mismatches in response_checks.invalid_responses(connection, registry):
        yield from in_words("response", mismatches)
