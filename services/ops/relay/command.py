"""The command `ikm relay`: submissions wait in a folder until the service has them."""

import signal
from contextlib import ExitStack
from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--url", required=True, help="Address of the service, such as https://skm.example.")
@click.option(
    "--key-file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File that holds the channel key, and nothing else.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0.01, 1000),
    default=20.0,
    show_default=True,
    help="Submissions a second, at most.",
)
@click.option(
    "--listen",
    "port",
    type=click.IntRange(0, 65535),
    help="Also take submissions on 127.0.0.1:PORT, at /v1/submissions, without a key.",
)
@click.option("--once", is_flag=True, help="Deliver what waits now, and end.")
def relay(  # noqa: PLR0913 (one parameter an option)
    folder: Path, url: str, key_file: Path, rate: float, port: int | None, *, once: bool
) -> int:
    """Deliver the submissions in DIR, one in each file NAME.json, oldest first.

    A file goes when the service has it; what it will never take is moved to DIR/refused with the
    reason. While the service cannot be reached everything waits, for weeks if need be. With --once:
    exit 1 when something still waits or was refused.
    """
    import logging

    from services.ops.client import Client
    from services.ops.relay.courier import Courier
    from services.ops.relay.listener import listening
    from services.ops.relay.outbox import Outbox
    from services.ops.terminal import progress

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    key = key_file.read_text(encoding="utf-8").strip()
    with ExitStack() as resources:
        outbox = Outbox(folder)
        resources.callback(outbox.close)
        client = resources.enter_context(Client(url))
        courier = Courier(outbox, client, key, rate)
        if port is not None:
            bound = resources.enter_context(listening(port, outbox))
            click.echo(f"menerima di / listening on http://127.0.0.1:{bound}/v1/submissions")
        tell = resources.enter_context(progress("mengirim / delivering"))
        if once:
            courier.round(tell)
        else:
            signal.signal(signal.SIGTERM, lambda *_: courier.stop.set())
            signal.signal(signal.SIGINT, lambda *_: courier.stop.set())
            courier.run(tell)
        left = len(outbox.waiting())
    click.echo(
        f"{courier.delivered:,} terkirim, {courier.refused:,} ditolak, {left:,} menunggu / "
        f"{courier.delivered:,} delivered, {courier.refused:,} refused, {left:,} waiting"
    )
    return 1 if once and (left or courier.refused) else 0
