"""A registry file: read, applied and published as a whole, or refused with every reason why not."""

from typing import BinaryIO

from services.ops.registry.publication import publish_stored
from shared.clock import utc_now
from shared.domain.violation import Violation
from shared.registry.change import Change
from shared.registry.file import RegistryError, parse
from shared.settings import Settings
from shared.storage.engine import opened, transaction
from shared.storage.registry import registry_change


def read_text(file: BinaryIO) -> str:
    """Return the text of a registry file, which is UTF-8 and may begin with a byte order mark."""
    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RegistryError([Violation("file", "malformed", f"is not UTF-8: {error}")]) from error


def apply_text(
    settings: Settings, text: str, *, prune: bool = False, dry_run: bool = False
) -> list[Change]:
    """Apply the text of a registry file and publish the result; return the difference.

    Raises RegistryError with every reason why it cannot be applied.
    """
    document = parse(text)
    with opened(settings.need_database()) as engine:
        with transaction(engine) as connection:
            changes = registry_change.apply(
                connection, document, utc_now(), prune=prune, dry_run=dry_run
            )
        if not dry_run:
            publish_stored(settings, engine)
    return changes
