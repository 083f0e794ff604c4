"""Keeps the snapshot current: hears which OPDs changed, looks every half second at the registry."""

import logging
import threading

import sqlalchemy as sa

from services.aggregate.read.snapshot import CurrentSnapshot
from shared.storage import rolling
from shared.storage.registry import stored_registry
from shared.storage.released import rows as released_rows
from shared.storage.rolling import INSTANSI, ConnectionLost

log = logging.getLogger(__name__)

LOOK_INTERVAL_S = 0.5
RETRY_S = 0.5


class Follower:
    """A thread with a connection of its own. While PostgreSQL is away the snapshot stays."""

    def __init__(self, engine: sa.Engine, current: CurrentSnapshot) -> None:
        self._engine = engine
        self._current = current
        self._is_following = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Start the thread, and do not wait until anything is loaded."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait until its connection is closed."""
        self._stopped.set()
        self._thread.join(4 * LOOK_INTERVAL_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._engine.connect().execution_options(
                    isolation_level="AUTOCOMMIT"
                ) as connection:
                    try:
                        self._follow(connection)
                    finally:
                        connection.invalidate()  # it listens: nobody else may get it from the pool
            except (sa.exc.SQLAlchemyError, ConnectionLost) as error:
                if self._is_following:
                    log.warning(
                        "PostgreSQL is away, serving the last known figures",
                        extra={"error": str(error)},
                    )
                self._is_following = False
                self._current.lost()
                self._stopped.wait(RETRY_S)

    def _follow(self, connection: sa.Connection) -> None:
        # Listen first: what is announced while everything is loaded must not be missed.
        rolling.listen(connection)
        self._load(connection)
        while not self._stopped.is_set():
            changed = rolling.wait_for_announced_opds(connection, LOOK_INTERVAL_S)
            if self._has_new_registry(connection):
                self._load(connection)
            elif changed:
                changed.add(INSTANSI)
                opds = sorted(changed)
                self._current.update(
                    changed,
                    rolling.read_rows(connection, opds),
                    released_rows.read_rows(connection, opds),
                )
            self._current.heard()

    def _load(self, connection: sa.Connection) -> None:
        registry = stored_registry.load(connection)
        self._current.replace(
            registry, rolling.read_rows(connection), released_rows.read_rows(connection)
        )
        self._is_following = True
        self._current.heard()
        log.info("figures loaded", extra={"registry": registry.version})

    def _has_new_registry(self, connection: sa.Connection) -> bool:
        snapshot = self._current.snapshot
        return (
            snapshot is None
            or stored_registry.read_version(connection) != snapshot.registry.version
        )
