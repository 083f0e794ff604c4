"""The HTTP server of every service: uvicorn, with limits for whoever has not shown a key yet."""

import logging
import resource
from typing import Any

from services.ops.web.connections import RESERVED
from services.ops.web.protocol import LimitedProtocol
from shared.settings import Settings

log = logging.getLogger(__name__)

_OTHER_FILES = 200  # that a process has open: libraries, pipes, its own connections to the servers


def server_options(settings: Settings) -> dict[str, Any]:
    """Return uvicorn's options for every service; the limit of open files is raised on the way."""
    return {
        "loop": "uvloop",
        "http": LimitedProtocol,
        "ws": "none",  # who asks for an upgrade is answered as if it had not
        "lifespan": "on",  # an application that cannot start must not serve
        "log_config": None,  # shared.observability has configured it
        # a line per request would cost more than the request; /metrics counts them
        "access_log": False,
        "server_header": False,
        "headers": [("X-Content-Type-Options", "nosniff")],
        "forwarded_allow_ips": settings.trusted_proxies,
        "limit_concurrency": _most_connections(settings.connections),
        # longer than a reverse proxy's 60 s: it must never reuse a connection we just closed
        "timeout_keep_alive": 75,
        # seconds for requests under way; idle connections are closed at once
        "timeout_graceful_shutdown": 5,
    }


def _most_connections(wanted: int) -> int:
    """Raise the limit of open files; return how many of the connections wanted it allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = wanted if hard == resource.RLIM_INFINITY else hard - _OTHER_FILES - RESERVED
    if wanted > possible:
        log.warning(
            "too few open files are allowed for so many connections",
            extra={"connections": wanted, "possible": possible, "open_files": hard},
        )
    return max(1, min(wanted, possible))
