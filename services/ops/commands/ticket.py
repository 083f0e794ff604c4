"""The command `ikm ticket create`."""

from pathlib import Path

import click

_MOST = 10_000


@click.group()
def ticket() -> None:
    """Make one-time codes, so that only who was served can answer."""


@ticket.command("create")
@click.option("--opd", required=True, metavar="CODE", help="OPD that serves.")
@click.option("--layanan", required=True, metavar="CODE", help="Layanan that is rated.")
@click.option("--count", type=click.IntRange(1, _MOST), required=True, help="How many.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a CSV and a sheet to cut out (PDF) here.  [default: the CSV to standard output]",
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Address of the service for phones, like https://ikm.kota.go.id.  [default: the stack's]",
)
def _create(*, opd: str, layanan: str, count: int, out: Path | None, base_url: str | None) -> None:
    """Make tickets for a layanan, each for one answer. No two calls give the same code.

    They follow from the secret of the installation and are stored nowhere: keep the files like
    keys until they are handed out. The registry needs a channel of kind `tiket`.
    """
    from services.ops.commands.qr import public_base
    from services.ops.prints import ticket_prints
    from services.ops.prints.files import put_secret
    from services.ops.registry.places import open_places, read_registry
    from services.ops.registry.tickets import create_tickets
    from services.ops.terminal import progress
    from shared.settings import Settings

    settings = Settings.load()
    base = public_base(base_url, settings.port)
    registry = read_registry(settings)
    [place] = open_places(registry, opd, layanan)
    tickets = create_tickets(settings, registry, place, count)
    table = ticket_prints.as_csv(tickets, base)
    if out is None:
        click.echo(table, nl=False)
        return
    stem = f"tiket-{opd}-{layanan}-{tickets[0][0].serial}"
    # First what cannot be made again, then what takes long.
    put_secret(out / f"{stem}.csv", table.encode())
    with progress("mencetak / printing") as tell:
        put_secret(out / f"{stem}.pdf", ticket_prints.as_pdf(tickets, base, registry, tell))
    click.echo(f"{count} tiket / tickets: {out / stem}.csv, {stem}.pdf")
