"""The Celery application that both sides share: broker settings, queues, names of tasks.

Celery carries hints and schedules, never the only copy of anything: every setting below is
chosen so that a lost message costs at most one sweep and a repeated one costs nothing.
"""

from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from kombu import Queue
from redis import Redis

from shared.settings import Settings

DRAIN = "ikm.drain"
SWEEP = "ikm.sweep"
REFRESH = "ikm.refresh"
ROLL = "ikm.roll"
RETAIN = "ikm.retain"
IMPORT = "ikm.import"

INBOX_QUEUE = "inbox"
REFRESH_QUEUE = "refresh"
MAINTENANCE_QUEUE = "maintenance"
IMPORTS_QUEUE = "imports"
QUEUES = (INBOX_QUEUE, REFRESH_QUEUE, MAINTENANCE_QUEUE, IMPORTS_QUEUE)
ROUTES = {
    DRAIN: {"queue": INBOX_QUEUE},
    REFRESH: {"queue": REFRESH_QUEUE},
    SWEEP: {"queue": MAINTENANCE_QUEUE},
    ROLL: {"queue": MAINTENANCE_QUEUE},
    RETAIN: {"queue": MAINTENANCE_QUEUE},
    IMPORT: {"queue": IMPORTS_QUEUE},
}

TASK_SOFT_LIMIT_S = 45
TASK_LIMIT_S = 60
# An import reads a file to its end. It holds it in PostgreSQL: one that hangs is taken over there.
IMPORT_LIMIT_S = 6 * 3600
VISIBILITY_TIMEOUT_S = 120


def celery_app(settings: Settings) -> Celery:
    """Return the application for the configured Redis. It makes no connection yet."""
    app = Celery("ikm", broker=broker_url(settings.need_redis()))
    app.conf.update(
        task_queues=[Queue(name) for name in QUEUES],
        task_routes=ROUTES,
        task_default_queue=MAINTENANCE_QUEUE,
        # A queue that is not declared is a spelling mistake, not a new queue.
        task_create_missing_queues=False,
        # Acknowledge after the work, and also hand back what a killed worker had: every task is
        # idempotent.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # A failed task is acknowledged (False would delete it on Redis, there is no dead-letter
        # exchange): the submissions are in the inbox, the sweep hints again.
        task_acks_on_failure_or_timeout=True,
        # One message at a time: a second hint must not wait behind a long drain while another
        # worker is idle.
        worker_prefetch_multiplier=1,
        # Nobody reads results; a backend would be a write per task.
        task_ignore_result=True,
        # Tasks stop by themselves after a slice of 10 s; these limits only catch one that hangs.
        task_soft_time_limit=TASK_SOFT_LIMIT_S,
        task_time_limit=TASK_LIMIT_S,
        # Workers start before Redis does, and outlive any outage of it.
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_use_ssl=_tls(settings.need_redis()),
        # After a lost connection the message comes again: do not also finish the old run of it.
        worker_cancel_long_running_tasks_on_connection_loss=True,
        # SIGTERM (as SIGQUIT, see REMAP_SIGTERM): let the running batch commit first.
        worker_soft_shutdown_timeout=10,
        # Events and remote control are traffic that grows with the square of the workers; metrics
        # come from the tables.
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        # Logging is configured by shared.observability.
        worker_hijack_root_logger=False,
        broker_transport_options={
            # Longer than task_time_limit, else a running task would be delivered again; equal on
            # all workers.
            "visibility_timeout": VISIBILITY_TIMEOUT_S,
            # Look for messages of dead workers every 5 s instead of about every 100 s.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            # Must exceed kombu's BRPOP of 1 s; a silent peer is given up after it.
            "socket_timeout": 10,
            "socket_connect_timeout": 2,
            "retry_on_timeout": True,
            **_keepalive(settings.need_redis()),
            # One Redis may serve other things too.
            "global_keyprefix": f"{settings.redis_prefix}celery:",
        },
    )
    return app


def broker_url(redis_url: str) -> str:
    """Return kombu's spelling of a redis-py URL: it has a scheme of its own for a Unix socket."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parts.query.removeprefix("db=") if parts.query.startswith("db=") else "0"
    return f"redis+socket://{parts.path}?virtual_host={database}"


def _tls(redis_url: str) -> dict[str, Any] | None:
    """Return how kombu verifies the server's certificate.

    By itself it verifies nothing, whatever the URL says: redis-py would.
    """
    if not redis_url.startswith("rediss:"):
        return None
    told = Redis.from_url(redis_url).connection_pool.connection_kwargs
    options = {name: value for name, value in told.items() if name.startswith("ssl_")}
    return {"ssl_cert_reqs": "required", "ssl_check_hostname": True, **options}


def _keepalive(redis_url: str) -> dict[str, object]:
    if redis_url.startswith("unix:"):  # no TCP there, and redis-py refuses the option
        return {}
    return {"socket_keepalive": True, "health_check_interval": 15}
