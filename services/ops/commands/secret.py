"""The commands `ikm secret set`, `ikm secret list` and `ikm secret remove`."""

import base64
import secrets
import sys

import click

_GENERATED_BYTES = 32


@click.group()
def secret() -> None:
    """Set, list and remove the secrets that channels share with their senders."""


@secret.command("set")
@click.argument("channel")
@click.argument("name")
@click.option(
    "--generate", "is_generated", is_flag=True, help="Make one (whsec_…) and show it, this once."
)
def _set(channel: str, name: str, *, is_generated: bool) -> None:
    """Set the secret NAME of CHANNEL.

    It is asked for, or read from standard input: on the command line others would see it. The
    sender's settings say which NAMEs a channel of this kind needs (docs/channels.md).
    """
    from services.ops.registry.channel_secrets import set_secret
    from shared.settings import Settings

    if is_generated:
        random = secrets.token_bytes(_GENERATED_BYTES)
        value = f"whsec_{base64.b64encode(random).decode()}"
    else:
        value = _read()
    set_secret(Settings.load(), channel, name, value)
    click.echo(f"rahasia / secret {channel} {name}: disimpan / stored")
    if is_generated:
        click.echo("hanya ditampilkan sekali / shown only this once:")
        click.echo(value)


@secret.command("list")
def _list() -> None:
    """List the secrets of all channels by name, without the secrets themselves."""
    from services.ops.registry.channel_secrets import list_secrets
    from services.ops.terminal import Column, print_table
    from shared.settings import Settings

    rows = (
        (stored.channel, stored.name, stored.set_at.isoformat(timespec="seconds"))
        for stored in list_secrets(Settings.load())
    )
    print_table([Column(title) for title in ("KANAL", "NAMA", "DISIMPAN")], rows)


@secret.command("remove")
@click.argument("channel")
@click.argument("name")
def _remove(channel: str, name: str) -> None:
    """Remove the secret NAME of CHANNEL: within seconds nothing signed with it is taken."""
    from services.ops.registry.channel_secrets import remove_secret
    from shared.settings import Settings

    remove_secret(Settings.load(), channel, name)
    click.echo(f"rahasia / secret {channel} {name}: dihapus / removed")


def _read() -> str:
    if sys.stdin.isatty():
        hidden: str = click.prompt("rahasia / secret", hide_input=True)
        return hidden
    return sys.stdin.readline().strip()
