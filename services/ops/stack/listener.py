"""The socket of the service. The stack keeps it: nobody gets the port while `web` starts again."""

import os
import socket

from services.ops.errors import InUse


def listen(host: str, port: int) -> socket.socket:
    """Open the socket; InUse when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise InUse(f"{host}:{port} ({reason}): choose another with --port") from None


def address_of(listener: socket.socket) -> str:
    """Return the address by which this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (compared, not bound)
    host = everywhere.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
