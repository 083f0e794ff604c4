"""The command `ikm odk-settings`."""

from pathlib import Path

import click


@click.command("odk-settings")
@click.argument("channel")
@click.option(
    "--base-url",
    metavar="URL",
    help="Address of the service for tablets, like https://ikm.kota.go.id.  [default: the stack's]",
)
@click.option("--project", help="Name of the project on the tablet.  [default: SKM CHANNEL]")
@click.option("--label", default="ODK Collect", show_default=True, help="A note for `key list`.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the QR code to this file too, for its owner alone: .png or .svg.",
)
def odk_settings(
    channel: str, *, base_url: str | None, project: str | None, label: str, out: Path | None
) -> None:
    """Set up tablets with ODK Collect or KoboCollect by a QR code.

    Makes a key of CHANNEL for them. The code is drawn on the terminal, and stands alone on the last
    line as text. It holds the key: whoever has it may submit, until `ikm key revoke`.
    """
    from services.ops.commands.qr import public_base
    from services.ops.prints.files import put_secret
    from services.ops.prints.qr import OF_A_TICKET, in_terminal, png, qr_of, svg
    from services.ops.registry.keys import KeyRequest, create_key
    from services.ops.registry.tablet_settings import qr_text, settings_of
    from shared.settings import Settings

    if out is not None and out.suffix.lower() not in {".png", ".svg"}:
        raise click.UsageError("--out ends in .png or .svg")
    environment = Settings.load()
    base = public_base(base_url, environment.port)
    stored, key = create_key(environment, KeyRequest(channel, label=label))
    settings = settings_of(base, key, project or f"SKM {channel}")
    text = qr_text(settings)
    click.echo(in_terminal(text))
    if out is not None:
        draw = png if out.suffix.lower() == ".png" else svg
        put_secret(out, draw(qr_of(text, OF_A_TICKET)))
        click.echo(f"disimpan / saved: {out}")
    click.echo(f"kunci / key {stored.id}, kanal / channel {stored.name}")
    click.echo(f"alamat server / server URL: {settings['general']['server_url']}")
    click.echo("di Collect / in Collect: Configure with QR code; isinya / its text:")
    click.echo(text)
