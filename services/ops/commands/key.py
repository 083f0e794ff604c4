"""The commands `ikm key create`, `ikm key list` and `ikm key revoke`."""

from datetime import datetime

import click


@click.group()
def key() -> None:
    """Create, list and revoke the keys by which senders are known."""


@key.command("create")
@click.argument("channel")
@click.option("--label", help="A note on who holds the key, for `key list`.")
def _create(channel: str, label: str | None) -> None:
    """Make a key for CHANNEL; it is shown once, alone on the last line."""
    from services.ops.registry.keys import create_key
    from shared.settings import Settings

    key_id, created = create_key(Settings.load(), channel, label)
    click.echo(
        f"kunci {key_id} untuk kanal {channel}, hanya ditampilkan sekali / "
        f"key {key_id}, shown only this once:"
    )
    click.echo(created)


@key.command("list")
def _list() -> None:
    """List all keys, without the keys themselves."""
    from services.ops.registry.keys import list_keys
    from services.ops.terminal import Column, print_table
    from shared.settings import Settings

    columns = [Column(title) for title in ("ID", "KANAL", "DIBUAT", "DICABUT", "LABEL")]
    rows = (
        (
            stored.id,
            stored.channel,
            _shown(stored.created_at),
            _shown(stored.revoked_at),
            stored.label or "",
        )
        for stored in list_keys(Settings.load())
    )
    print_table(columns, rows)


@key.command("revoke")
@click.argument("key_id", metavar="ID")
def _revoke(key_id: str) -> None:
    """Revoke the key ID for good: within seconds no process accepts it."""
    from services.ops.registry.keys import revoke_key
    from shared.settings import Settings

    is_newly_revoked = revoke_key(Settings.load(), key_id)
    state = "dicabut / revoked" if is_newly_revoked else "sudah dicabut / already revoked"
    click.echo(f"kunci {key_id} {state}")


def _shown(instant: datetime | None) -> str:
    return "-" if instant is None else instant.isoformat(timespec="seconds")
