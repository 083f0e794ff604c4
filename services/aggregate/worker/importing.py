"""Reads the files that wait to be imported, each to its end."""

from services.aggregate.imports.running import Workplace, run_next
from services.aggregate.worker.context import WorkerContext
from services.aggregate.worker.hints import send_hint
from shared.broker import DRAIN
from shared.hinting import drain_flag


def import_next(context: WorkerContext) -> None:
    """Read one file; the sweep hints the next."""
    flag = drain_flag(context.settings.redis_prefix)

    def poke() -> None:
        send_hint(context, flag, DRAIN)

    run_next(Workplace(context.engine, context.redis, context.settings, poke))
