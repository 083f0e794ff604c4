"""The commands that run one process of the service: serve, worker, beat; and migrate."""

import os
import socket
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from celery import Celery

APPLICATIONS = {
    "ingest": "services.ingest.app:create_app",
    "read": "services.aggregate.read.app:create_app",
    "all": "services.ops.web.app:create_app",
}
SCHEDULER = "services.aggregate.worker.liveness:Beat"
# Counting and refreshing apart: a long drain never delays a refresh.
WORKERS = {"inbox": "inbox", "refresh": "refresh,maintenance", "imports": "imports"}


@click.command()
@click.argument("what", type=click.Choice(list(APPLICATIONS)))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: IKM_PORT or 8000]"
)
@click.option(
    "--processes", type=click.IntRange(1), default=1, show_default=True, help="Server processes."
)
@click.option(
    "--fd", type=click.IntRange(3), hidden=True, help="A listening socket that was inherited."
)
def serve(what: str, host: str, port: int | None, processes: int, fd: int | None) -> None:
    """Serve HTTP: ingest, read, or all.

    ingest is the way in (Redis only), read the way out (PostgreSQL only), all is both on one port.
    """
    import uvicorn

    from services.ops.web.server import server_options
    from shared.observability import configure
    from shared.settings import Settings

    settings = Settings.load()
    configure(settings)
    options = {**server_options(settings), "factory": True}
    if fd is None:
        chosen = settings.port if port is None else port
        uvicorn.run(APPLICATIONS[what], host=host, port=chosen, workers=processes, **options)
    else:
        uvicorn.Server(uvicorn.Config(APPLICATIONS[what], **options)).run(
            sockets=[socket.socket(fileno=fd)]
        )


@click.command()
@click.argument("what", type=click.Choice(list(WORKERS)))
@click.option(
    "--concurrency",
    "-c",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Task processes.",
)
def worker(what: str, concurrency: int) -> None:
    """Run a Celery worker: inbox, refresh or imports.

    inbox counts submissions; refresh keeps the rolling tables, sweeps, and rolls the windows at
    midnight; imports reads files.
    """
    # SIGTERM as SIGQUIT: Celery's soft shutdown, which lets the running batch commit and takes no
    # further one. Celery reads it when it is imported.
    os.environ["REMAP_SIGTERM"] = "SIGQUIT"
    app = _celery_app()

    from services.aggregate.worker.credit import keep_credit

    keep_credit()
    # Gossip and mingle: traffic that grows with the square of the number of workers, and nothing
    # needs it. Heartbeat: nothing listens to it either, and a worker that is asked to end while
    # Redis is gone would wait for it for ever.
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    name = f"{what}-{os.getpid()}@%h"
    # A process for each file: the memory that a large one took ends with it.
    lives = ("--max-tasks-per-child", "1") if what == "imports" else ()
    size = ("-c", str(concurrency), *lives)
    app.worker_main(["worker", "-Q", WORKERS[what], "-n", name, "-P", "prefork", *size, *quiet])


@click.command()
def beat() -> None:
    """Run the schedule (Celery beat), once.

    It sends sweeps and the midnight roll. A second one would only send everything twice.
    """
    _celery_app().start(["beat", "--scheduler", SCHEDULER, "--pidfile", ""])


@click.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    from shared.settings import Settings
    from shared.storage.migrate import upgrade

    upgrade(Settings.load().need_migrate_database())
    click.echo("the database is at this version's schema")


def _celery_app() -> "Celery":
    from shared.settings import Settings

    Settings.load().need_redis()
    from services.aggregate.worker.celery_app import app

    return app
