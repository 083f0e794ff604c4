"""A worker process that freezes itself at one point of a batch, and goes on when it is thawed.

Run as a program: addresses of PostgreSQL and Redis, and the point.
"""

import signal
import sys
import threading
from collections.abc import Callable

import psycopg
import sqlalchemy as sa

from services.aggregate.worker import drain as draining
from shared.storage import engine, ledger, receipts
from shared.storage.cursor import Cursor
from tests.integration.aggregate.counting.counting import count, worker_context

ENDED_AFTER_S = 1.0  # a session that is idle in its transaction


def freeze() -> None:
    """Stop this process; another one lets it go on.

    The signal is for this very thread: given to the process, another thread may take it, and this
    one goes on for a moment.
    """
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def freeze_in_a_copy(open_cursor: Cursor, *_: object) -> None:
    """Stop this process while PostgreSQL waits for rows."""
    with open_cursor.copy("COPY inbox_entry FROM STDIN"):
        freeze()


def after_the_claim() -> None:
    """Freeze with entries in hand, outside any transaction."""
    before(draining, "count_and_settle", lambda *_: freeze())


def before_its_entry() -> None:
    """Freeze inside the transaction, after all but the ledger was written."""
    before(ledger, "enter", lambda *_: freeze())


def in_the_middle_of_a_copy() -> None:
    """Freeze where no time-out of PostgreSQL's ends the session."""
    before(receipts, "copy", freeze_in_a_copy)


def before(module: object, name: str, interruption: Callable[..., None]) -> None:
    """Be interrupted at the next call of this function alone."""
    function = getattr(module, name)

    def interrupted(*arguments: object) -> object:
        setattr(module, name, function)
        interruption(*arguments)
        return function(*arguments)

    setattr(module, name, interrupted)


POINTS: dict[str, Callable[[], None]] = {
    point.__name__: point for point in (after_the_claim, before_its_entry, in_the_middle_of_a_copy)
}


def main(database_url: str, redis_url: str, point: str) -> None:
    """Drain twice: the first time it freezes, and may fail; the second time it must not."""
    engine.IDLE_IN_TRANSACTION_TIMEOUT_MS = round(ENDED_AFTER_S * 1000)
    POINTS[point]()
    with worker_context(database_url, redis_url, takeover_idle="0") as context:
        try:
            count(context)
        except (psycopg.Error, sa.exc.DBAPIError) as error:
            print("failed", type(error).__name__)
        count(context)


if __name__ == "__main__":
    main(*sys.argv[1:])
