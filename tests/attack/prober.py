"""Asks for /healthz on a new connection, again and again, until its input ends.

Between two questions it counts for a while, to know how much of the machine others leave to it.
"""

import json
import select
import socket
import sys
import time

SPIN_S = 0.003
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


def spin() -> float:
    """The wall time of a fixed piece of CPU time, as a multiple of it."""
    started, until = time.monotonic(), time.process_time() + SPIN_S
    while time.process_time() < until:
        pass
    return (time.monotonic() - started) / SPIN_S


def main() -> None:
    port = int(sys.argv[1])
    took_s, slowdowns = [probe(port)], [spin()]
    print("begun", flush=True)
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        took_s.append(probe(port))
        slowdowns.append(spin())
    slowdown = sum(slowdowns) / len(slowdowns)
    print(json.dumps({"took_s": took_s, "slowdown": slowdown}))


if __name__ == "__main__":
    main()
