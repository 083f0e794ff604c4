"""The command `ikm qr`."""

from collections.abc import Sequence
from pathlib import Path

import click


@click.command()
@click.option("--opd", metavar="CODE", help="Of the layanan of this OPD.")
@click.option("--layanan", metavar="CODE", help="Of this layanan of the OPD alone.")
@click.option("--all", "wants_all", is_flag=True, help="Of every open layanan of the instansi.")
@click.option(
    "--point",
    "points",
    metavar="NAME",
    multiple=True,
    help="Where it will hang, like loket-3: answers carry it; repeatable, a sign for each.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write SVG, PNG and an A5 sign (PDF) here.  [default: show the code in the terminal]",
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Address of the service for phones, like https://ikm.kota.go.id.  [default: the stack's]",
)
def qr(  # noqa: PLR0913 (click's options)
    *,
    opd: str | None,
    layanan: str | None,
    wants_all: bool,
    points: Sequence[str],
    out: Path | None,
    base_url: str | None,
) -> None:
    """Make QR codes and counter signs of the citizens' pages.

    Without options it shows the page of one layanan of the instansi, to try it with a phone.
    Repeated, it writes only what differs: run it again after a change of the registry.
    """
    from services.ops.prints.city import write_signs
    from services.ops.prints.qr import in_terminal
    from services.ops.prints.signs import sign_of
    from services.ops.registry.places import open_places, read_registry
    from services.ops.terminal import progress
    from shared.settings import Settings

    if (layanan is not None and opd is None) or (wants_all and opd is not None):
        raise click.UsageError("say whose: --opd CODE, perhaps with --layanan CODE, or --all")
    if wants_all != (out is not None and opd is None):
        raise click.UsageError("--all and --out DIR belong together; or say whose, with --opd CODE")
    settings = Settings.load()
    base = public_base(base_url, settings.port)
    registry = read_registry(settings)
    places = open_places(registry, opd, layanan)
    if opd is None and not wants_all:
        places = places[:1]
    signs = [
        sign_of(place.opd, place.layanan, base, point)
        for place in places
        for point in points or (None,)
    ]
    if out is None:
        for sign in signs:
            click.echo(f"{sign.opd.name}: {sign.layanan.name}\n{sign.address}")
            click.echo(in_terminal(sign.address))
        return
    with progress("mencetak / printing") as tell:
        total, written = write_signs(signs, registry, out, tell)
    click.echo(
        f"{len(signs)} tanda, {total} berkas, {written} ditulis di {out} / "
        f"{len(signs)} signs, {total} files, {written} written"
    )


def public_base(base_url: str | None, port: int) -> str:
    """Return the address that phones use; warn where it is this machine's own alone."""
    from services.ops.prints.addresses import base_of

    if base_url is not None:
        return base_of(base_url)
    click.echo(
        "alamat ini hanya terbuka di komputer ini; untuk dicetak: --base-url / "
        "this address opens on this machine alone; to print it, give --base-url",
        err=True,
    )
    return f"http://127.0.0.1:{port}"
