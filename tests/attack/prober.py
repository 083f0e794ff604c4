"""Asks for /healthz on a new connection, fifty times a second, until its input ends."""

import json
import select
import socket
import sys
import time

REQUEST = b"GET /healthz HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n"


def probe(port: int) -> float:
    """The seconds that an answer took; -1 without one."""
    started = time.monotonic()
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(REQUEST)
            while piece := connection.recv(4096):
                received += piece
    except OSError:
        return -1.0
    return time.monotonic() - started if received.startswith(b"HTTP/1.1 200") else -1.0


def main() -> None:
    port = int(sys.argv[1])
    took_s = [probe(port)]
    print("begun", flush=True)
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        took_s.append(probe(port))
    print(json.dumps(took_s))


if __name__ == "__main__":
    main()
