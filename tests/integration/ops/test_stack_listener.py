"""The socket of the service: by which addresses it is reached."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest

from services.ops.errors import InUse
from services.ops.stack.listener import address_of, listen, phone_address_of


def test_what_listens_on_this_machine_alone_has_no_address_for_phones() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert address_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert phone_address_of(listener) is None


def test_what_listens_everywhere_has_the_address_of_this_machine_in_its_network() -> None:
    with listen("0.0.0.0", 0) as listener:
        address = phone_address_of(listener)
        if address is None:  # a machine without any network
            return
        parts = urlsplit(address)
        assert not ip_address(parts.hostname or "").is_loopback
        with socket.create_connection((parts.hostname, parts.port or 0), timeout=5):
            pass


def test_a_port_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(InUse, match=f"127.0.0.1:{port}"):
            listen("127.0.0.1", port)
