"""The Celery tasks, each a line: the work is in drain, importing, refreshing, retention, sweep."""

from celery import Celery

from services.aggregate.worker import drain, importing, refreshing, retention, sweep
from services.aggregate.worker.context import WorkerContext
from shared.broker import DRAIN, IMPORT, IMPORT_LIMIT_S, REFRESH, RETAIN, ROLL, SWEEP
from shared.settings import Settings
from shared.storage.engine import database_now


def register(app: Celery) -> None:
    """Give the application its tasks; a process opens its context when the first one runs."""
    context = WorkerContext(Settings.load(), app)

    @app.task(name=DRAIN)
    def drain_inbox() -> None:
        """Count what waits in the inbox."""
        drain.drain(context, database_now)

    @app.task(name=REFRESH)
    def refresh_rolling() -> None:
        """Bring the rolling tables of stale OPDs up to date."""
        refreshing.refresh_now(context, database_now)

    @app.task(name=SWEEP)
    def sweep_all() -> None:
        """Notice what no hint told."""
        sweep.sweep(context, database_now)

    @app.task(name=ROLL)
    def roll_windows() -> None:
        """Refresh, because a local day may have ended."""
        refreshing.refresh_now(context, database_now)

    @app.task(name=RETAIN)
    def empty_what_is_old() -> None:
        """Empty what outlived its retention, and let Redis rewrite its file."""
        retention.retain(context)

    # Acknowledged at once: its message may be lost, the sweep sends another while a file waits.
    @app.task(
        name=IMPORT, acks_late=False, soft_time_limit=IMPORT_LIMIT_S, time_limit=IMPORT_LIMIT_S + 60
    )
    def import_file() -> None:
        """Read the oldest file that waits to be imported."""
        importing.import_next(context)
