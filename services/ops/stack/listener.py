"""The socket of the service. The stack keeps it: nobody gets the port while `web` starts again."""

import ipaddress
import os
import socket
from contextlib import suppress
from typing import Final

from services.ops.errors import InUse

# Reserved for documents (RFC 5737, RFC 3849): nothing is sent there, only the route is asked for.
_ANYWHERE: Final = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
_PORT: Final = 9


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
    return _web_address(everywhere.get(host, host), port)


def phone_address_of(listener: socket.socket) -> str | None:
    """Return the address by which others in the network reach the socket; None: they cannot."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        with socket.socket(listener.family, socket.SOCK_DGRAM) as probe, suppress(OSError):
            probe.connect((_ANYWHERE[listener.family], _PORT))
            host = probe.getsockname()[0]
            address = ipaddress.ip_address(host)
    is_own = address.is_unspecified or address.is_loopback
    return None if is_own else _web_address(host, port)


def _web_address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
