"""The limits of every HTTP process, on an application that reads only what it is asked to."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from services.ops.web import connections, protocol
from services.ops.web.server import server_options
from shared.settings import Settings

LIMIT = 4
HEAD = b"POST %s HTTP/1.1\r\nhost: a\r\n"


async def counting_bytes(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body on /read, with 0 elsewhere."""
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    length, more = 0, scope["path"] == "/read"
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(length).encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def served(**changes: str) -> Iterator[int]:
    """The application in a thread; its port."""
    options = server_options(Settings.load(home="/nonexistent", **changes))
    server = uvicorn.Server(uvicorn.Config(counting_bytes, port=0, **options))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as port:
        yield port


def sent(port: int, *pieces: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), 10)
    for piece in pieces:
        with suppress(ConnectionError):
            connection.sendall(piece)
    return connection


def head_of(connection: socket.socket) -> bytes:
    """The beginning of an answer, which the connection may outlive."""
    return connection.recv(4096)


def until_closed(connection: socket.socket) -> bytes:
    received = b""
    with connection, suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
    return received


def get(path: bytes) -> bytes:
    return b"GET %s HTTP/1.1\r\nhost: a\r\n\r\n" % path


def test_a_connection_is_used_again(port: int) -> None:
    with sent(port, get(b"/")) as connection:
        for _ in range(3):
            answer = head_of(connection)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" not in answer
            connection.sendall(HEAD % b"/read" + b"content-length: 3\r\n\r\nabc")


def test_requests_in_a_row_are_answered_in_order(port: int) -> None:
    bodies = [HEAD % b"/read" + b"content-length: %d\r\n\r\n" % n + b"x" * n for n in range(1, 6)]
    last = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    answers = until_closed(sent(port, b"".join(bodies) + last)).split(b"HTTP/1.1 200 OK")
    assert [answer[-1:] for answer in answers[1:]] == [b"1", b"2", b"3", b"4", b"5", b"0"]


def test_a_body_may_come_slowly_and_in_chunks(port: int) -> None:
    with sent(port, HEAD % b"/read" + b"transfer-encoding: chunked\r\n\r\n") as connection:
        for _ in range(4):
            time.sleep(0.02)
            connection.sendall(b"2\r\nab\r\n")
        connection.sendall(b"0\r\nx-trailer: 1\r\n\r\n")
        answer = head_of(connection)
    assert answer.endswith(b"\r\n\r\n8")
    assert b"connection: close" not in answer


def test_a_large_body_is_read_whole(port: int) -> None:
    body = b"x" * 3_000_000
    head = HEAD % b"/read" + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body)
    assert until_closed(sent(port, head, body)).endswith(b"3000000")


@pytest.mark.parametrize("size", [10, 20_000_000])
def test_who_is_refused_while_it_sends_reads_the_answer(port: int, size: int) -> None:
    head = HEAD % b"/" + b"content-length: %d\r\n\r\n" % (size + 1)
    answer = until_closed(sent(port, head, b"x" * size))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer


def test_a_slow_head_is_told_so(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.2)
    silent, slow = sent(port), sent(port, b"GET / HTTP/1.1\r\n")
    assert until_closed(slow).startswith(b"HTTP/1.1 408 ")
    assert until_closed(silent) == b""


@pytest.mark.parametrize("more", [b"GET / HT", b"\r\n"])
def test_a_further_head_has_no_more_time(
    port: int, more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.2)
    connection = sent(port, get(b"/"))
    assert head_of(connection).startswith(b"HTTP/1.1 200 ")
    connection.sendall(more)
    assert until_closed(connection).startswith(b"HTTP/1.1 408 ")


def test_a_head_may_have_64_kib_and_not_more(port: int) -> None:
    for size, status in ((60_000, b"200"), (66_000, b"431")):
        with sent(port, get(b"/").replace(b"host", b"x: %s\r\nhost" % (b"y" * size))) as answer:
            assert head_of(answer)[9:12] == status


def test_a_head_may_have_a_hundred_headers_and_not_more(port: int) -> None:
    for count, status in ((99, b"200"), (100, b"431")):
        headers = b"".join(b"x-%d: y\r\n" % index for index in range(count))
        with sent(port, get(b"/").replace(b"host", headers + b"host")) as answer:
            assert head_of(answer)[9:12] == status


def test_too_many_requests_in_a_row_are_cut_off(port: int) -> None:
    assert until_closed(sent(port, get(b"/") * 100)) == b""


def test_over_the_limit_probes_are_answered_and_all_else_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "CROWDED", 2)  # idle ones stay
    with served(connections=str(LIMIT)) as port:
        idle = [sent(port, get(b"/")) for _ in range(LIMIT)]
        assert all(head_of(connection).startswith(b"HTTP/1.1 200 ") for connection in idle)
        for path, status in ((b"/healthz", b"200"), (b"/", b"503"), (b"/readyz", b"200")):
            answer = until_closed(sent(port, get(path)))
            assert answer[9:12] == status
            assert b"connection: close" in answer
        assert b'"code":"too-busy"' in until_closed(sent(port, get(b"/read")))
        idle.pop().close()
        time.sleep(0.1)
        with sent(port, get(b"/")) as connection:
            assert head_of(connection).startswith(b"HTTP/1.1 200 ")
        for connection in idle:
            connection.close()


def test_beyond_the_reserve_the_oldest_head_makes_room_however_young(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "RESERVED", 2)
    monkeypatch.setattr(connections, "NEWCOMER_S", 60)
    with served(connections=str(LIMIT)) as port:
        held = [sent(port, b"GET") for _ in range(LIMIT + 2)]
        time.sleep(0.2)
        held.append(sent(port, b"GET"))
        assert until_closed(held[0]) == b""
        for connection in held:
            connection.close()


def test_half_sent_heads_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "NEWCOMER_S", 0.1)
    with served(connections=str(LIMIT)) as port:
        held = [sent(port, b"GET") for _ in range(LIMIT)]
        time.sleep(0.3)
        with sent(port, get(b"/")) as connection:
            assert head_of(connection).startswith(b"HTTP/1.1 200 ")
        assert until_closed(held[0]) == b""
        for connection in held:
            connection.close()


def test_when_it_is_crowded_idle_connections_go_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CROWDED_IDLE_S", 0.2)
    with served(connections=str(LIMIT)) as port:
        idle = [sent(port, get(b"/")) for _ in range(LIMIT)]
        assert all(until_closed(c).startswith(b"HTTP/1.1 200 ") for c in idle)


def test_what_was_refused_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "REPORT_INTERVAL_S", 0.1)
    with served() as port:
        for _ in range(3):
            assert until_closed(sent(port, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        with sent(port):
            time.sleep(0.7)
    told = [vars(record)["refused"] for record in caplog.records if "refused" in vars(record)]
    assert sum(counts["malformed-request"] for counts in told) == 3
