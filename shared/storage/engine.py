"""The engine, the one place where a transaction is committed, and PostgreSQL's clock.

A process that lives long holds the engine of `create_engine`; a command and a test use `opened`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa

from shared.storage.cursor import accept_array_parameters
from shared.storage.driver.sessions import APPLICATION

CONNECT_TIMEOUT_S = 3
# A statement of ours takes seconds at most; what takes longer says so (`snapshot`, a rebuild).
STATEMENT_TIMEOUT_MS = 60_000
LOCK_TIMEOUT_MS = 20_000
# A process that is frozen inside its transaction holds locks that others wait for: PostgreSQL ends
# its session, and it tries again when it wakes. Less than LOCK_TIMEOUT_MS: who waits gets the lock
# and no error.
IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000
# The same for a machine that is gone or paused, seen from both ends: after 10 s of silence three
# probes, 5 s apart; what was sent is confirmed within 30 s. A Unix socket needs none of it.
KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S, KEEPALIVES = 10, 5, 3
UNCONFIRMED_TIMEOUT_MS = 30_000
POOL_SIZE = 2
# Let the statements of this transaction take as long as they take, and what is done between them.
# With a SELECT, unlike a SET, a snapshot begins.
_LIFT_TIME_LIMITS = sa.text("""
SELECT set_config('statement_timeout', '0', true),
  set_config('idle_in_transaction_session_timeout', '0', true)
""")
# Not now(), which is when the transaction began: it may have waited for a lock since, and who gets
# the lock later must not be given an earlier time.
_NOW = sa.text("SELECT clock_timestamp()")

# Told inside a transaction, so that a test can hand in a time of its own.
DatabaseClock = Callable[[sa.Connection], datetime]


def create_engine(url: str, *, pool_size: int = POOL_SIZE) -> sa.Engine:
    """Return an engine for `url`; a broken pooled connection is replaced before use."""
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=2,
        pool_timeout=5,
        pool_pre_ping=True,  # PostgreSQL may have restarted since the connection was last used
        connect_args={
            "application_name": APPLICATION,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "keepalives_idle": KEEPALIVE_IDLE_S,
            "keepalives_interval": KEEPALIVE_INTERVAL_S,
            "keepalives_count": KEEPALIVES,
            "tcp_user_timeout": UNCONFIRMED_TIMEOUT_MS,
            "options": " ".join(f"-c {name}={value}" for name, value in _session().items()),
        },
    )
    sa.event.listen(engine, "connect", accept_array_parameters)
    return engine


def _session() -> dict[str, object]:
    """Return what every session of ours sets."""
    return {
        "synchronous_commit": "on",  # a counted batch is on disk before the inbox forgets it
        "timezone": "UTC",
        "statement_timeout": STATEMENT_TIMEOUT_MS,
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT_MS,
        "tcp_keepalives_idle": KEEPALIVE_IDLE_S,
        "tcp_keepalives_interval": KEEPALIVE_INTERVAL_S,
        "tcp_keepalives_count": KEEPALIVES,
        "tcp_user_timeout": UNCONFIRMED_TIMEOUT_MS,
    }


@contextmanager
def opened(url: str, *, pool_size: int = POOL_SIZE) -> Iterator[sa.Engine]:
    """Hold an engine for as long as the block lasts; its connections are closed at the end."""
    engine = create_engine(url, pool_size=pool_size)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Hold one transaction: committed when the block ends, rolled back when it raises."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def receiving(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Hold one transaction in which a role that only reads by itself may take something in."""
    with (
        engine.connect().execution_options(postgresql_readonly=False) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Hold one unchanging view of all that was committed when it began, for as long as it takes."""
    with engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    ) as connection:
        lift_time_limits(connection)
        yield connection


def lift_time_limits(connection: sa.Connection) -> None:
    """Let this transaction take as long as it takes: one that stops nobody who counts."""
    connection.execute(_LIFT_TIME_LIMITS)


def limit_statement_time(connection: sa.Connection, timeout_ms: int) -> None:
    """Let every statement of this transaction fail after so long: a reader waits for its answer."""
    connection.execute(sa.text(f"SET LOCAL statement_timeout = {timeout_ms:d}"))


def database_now(connection: sa.Connection) -> datetime:
    """Return the present instant by PostgreSQL's clock, aware, in UTC.

    It alone decides on which local day something is counted or refreshed: workers run on several
    machines, and one that slept wakes with yesterday's time.
    """
    now: datetime = connection.execute(_NOW).scalar_one()
    return now
