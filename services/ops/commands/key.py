"""The commands `ikm key create`, `ikm key list` and `ikm key revoke`."""

from collections.abc import Sequence
from datetime import datetime

import click

_ALL = "semua / all"


@click.group()
def key() -> None:
    """Create, list and revoke the keys of those who submit and those who read."""


@key.command("create")
@click.argument("name")
@click.option("--submit", "submits", is_flag=True, help="May submit; the default without --read.")
@click.option("--read", "reads", is_flag=True, help="May read live figures.")
@click.option(
    "--opd",
    "opds",
    multiple=True,
    metavar="CODE",
    help="May read this OPD only; repeatable.  [default: those of the channel, or all]",
)
@click.option("--label", help="A note on who holds the key, for `key list`.")
def _create(
    name: str, *, submits: bool, reads: bool, opds: Sequence[str], label: str | None
) -> None:
    """Make a key; it is shown once, alone on the last line.

    NAME is a channel, through which the key may submit; with --read alone it is the name of a
    reader, which is no channel. With --submit --read the key of a channel may do both.
    """
    from services.ops.registry.keys import KeyRequest, create_key
    from shared.settings import Settings

    if opds and not reads:
        raise click.UsageError("--opd says what a key may read: give --read too")
    request = KeyRequest(name, submits or not reads, reads, opds, label)
    stored, created = create_key(Settings.load(), request)
    holder = "pembaca / reader" if stored.channel is None else "kanal / channel"
    scope = f" ({_scope(stored.opd)})" if stored.may_read else ""
    click.echo(
        f"kunci / key {stored.id}, {holder} {stored.name}: "
        f"{_rights(may_submit=stored.may_submit, may_read=stored.may_read)}{scope}; "
        "hanya ditampilkan sekali / shown only this once:"
    )
    click.echo(created)


@key.command("list")
def _list() -> None:
    """List all keys with their rights and scope, without the keys themselves."""
    from services.ops.registry.keys import list_keys
    from services.ops.terminal import Column, print_table
    from shared.settings import Settings

    titles = ("ID", "NAMA", "HAK", "DIBACA", "DIBUAT", "DICABUT", "LABEL")
    rows = (
        (
            stored.id,
            stored.name,
            _rights(may_submit=stored.may_submit, may_read=stored.may_read),
            _scope(stored.opd) if stored.may_read else "-",
            _shown(stored.created_at),
            _shown(stored.revoked_at),
            stored.label or "",
        )
        for stored in list_keys(Settings.load())
    )
    print_table([Column(title) for title in titles], rows)


@key.command("revoke")
@click.argument("key_id", metavar="ID")
def _revoke(key_id: str) -> None:
    """Revoke the key ID for good: within seconds no process accepts it."""
    from services.ops.registry.keys import revoke_key
    from shared.settings import Settings

    is_newly_revoked = revoke_key(Settings.load(), key_id)
    state = "dicabut / revoked" if is_newly_revoked else "sudah dicabut / already revoked"
    click.echo(f"kunci {key_id} {state}")


def _rights(*, may_submit: bool, may_read: bool) -> str:
    rights = (("kirim/submit", may_submit), ("baca/read", may_read))
    return " + ".join(right for right, is_given in rights if is_given)


def _scope(opds: Sequence[str] | None) -> str:
    return _ALL if opds is None else " ".join(opds)


def _shown(instant: datetime | None) -> str:
    return "-" if instant is None else instant.isoformat(timespec="seconds")
