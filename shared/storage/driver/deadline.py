"""A connection that gives up on a PostgreSQL that hangs: its silence is limited on this side.

statement_timeout is kept by the server, and the kernel answers for a process that is stopped: when
PostgreSQL as a whole stands still (SIGSTOP, a frozen machine, a stuck disk) only a clock of our own
ends the waiting.
"""

from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg.abc import PQGen

SILENCE_TIMEOUT_S = 5.25  # a little more than the 5 s after which a server that runs says so itself
_INTERVAL_S = 0.1  # psycopg's own
_Value = TypeVar("_Value")


class DeadlineConnection(psycopg.Connection[Any]):
    """Closes itself when an answer takes longer than `SILENCE_TIMEOUT_S`."""

    def wait(
        self, gen: PQGen[_Value], interval: float = _INTERVAL_S, timeout: float | None = None
    ) -> _Value:
        """Wait for an answer; psycopg asks for every one of them here, except while connecting."""
        if timeout is not None:  # notifications: silence is what they expect
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, SILENCE_TIMEOUT_S)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - psycopg has no other name for it
            # What was asked may still be answered, to nobody: the connection is of no use any more.
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"PostgreSQL has not answered for {SILENCE_TIMEOUT_S} s"
            ) from None


def limit_silence(engine: sa.Engine) -> None:
    """Let every connection that this engine opens from now on be a DeadlineConnection."""

    @sa.event.listens_for(engine, "do_connect")
    def _(
        _dialect: sa.Dialect, _record: object, arguments: list[Any], options: dict[str, Any]
    ) -> DeadlineConnection:
        return DeadlineConnection.connect(*arguments, **options)
