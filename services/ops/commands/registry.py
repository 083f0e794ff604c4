"""The commands `ikm apply` and `ikm key`."""

from datetime import datetime
from typing import BinaryIO

import click

_NO_CHANGE = "tidak ada perubahan / no change"


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--prune", is_flag=True, help="Also close what FILE does not name (nothing is deleted)."
)
@click.option("--dry-run", is_flag=True, help="Show the difference and change nothing.")
def apply(file: BinaryIO, *, prune: bool, dry_run: bool) -> None:
    """Bring the registry to what FILE says (YAML; - for standard input) and show the difference.

    What FILE names is added or changed; what it does not name stays as it is. With --prune the rest
    is closed as of yesterday, or as of the day of its latest response when that is later.
    """
    from services.ops.commands.registry_difference import line
    from services.ops.commands.registry_use import apply_source
    from shared.settings import Settings

    changes = apply_source(Settings.load(), _text(file), prune=prune, dry_run=dry_run)
    for change in changes:
        click.echo(line(change))
    if not changes:
        click.echo(_NO_CHANGE)
    elif dry_run:
        click.echo(
            f"{len(changes)} perubahan, belum diterapkan / {len(changes)} changes, not applied (dry run)"
        )
    else:
        click.echo(f"{len(changes)} perubahan diterapkan / {len(changes)} changes applied")


@click.group()
def key() -> None:
    """Create, list and revoke the keys by which senders are known."""


@key.command("create")
@click.argument("channel")
@click.option("--label", help="A note on who holds the key, for `key list`.")
def _create(channel: str, label: str | None) -> None:
    """Make a key for CHANNEL; it is shown once, alone on the last line."""
    from services.ops.commands.registry_use import create_key
    from shared.settings import Settings

    key_id, created = create_key(Settings.load(), channel, label)
    click.echo(
        f"kunci {key_id} untuk kanal {channel}, hanya ditampilkan sekali / key {key_id}, shown only this once:"
    )
    click.echo(created)


@key.command("list")
def _list() -> None:
    """List all keys, without the keys themselves."""
    from services.ops.commands.registry_use import list_keys
    from shared.settings import Settings

    keys = list_keys(Settings.load())
    rows = [("ID", "KANAL", "DIBUAT", "DICABUT", "LABEL")]
    rows += [
        (k.id, k.channel, _instant(k.created_at), _instant(k.revoked_at), k.label or "")
        for k in keys
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


@key.command("revoke")
@click.argument("key_id", metavar="ID")
def _revoke(key_id: str) -> None:
    """Revoke the key ID for good: within seconds no process accepts it."""
    from services.ops.commands.registry_use import revoke_key
    from shared.settings import Settings

    revoked = revoke_key(Settings.load(), key_id)
    click.echo(
        f"kunci {key_id} dicabut / revoked"
        if revoked
        else f"kunci {key_id} sudah dicabut / already revoked"
    )


def _text(file: BinaryIO) -> str:
    from shared.domain.violation import Violation
    from shared.registry.file import RegistryError

    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RegistryError([Violation("file", "malformed", f"is not UTF-8: {error}")]) from error


def _instant(instant: datetime | None) -> str:
    return "-" if instant is None else instant.isoformat(timespec="seconds")
