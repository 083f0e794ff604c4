"""Attackers without a key: half-sent and dribbled requests, floods of headers, slow readers."""

import asyncio
import contextlib
import socket
import time

import pytest

from services.ops.web.protocol import (
    HEAD_MAX_BYTES,
    HEAD_TIMEOUT_S,
    PART_TIMEOUT_S,
    PIPELINE_MAX,
    WRITE_TIMEOUT_S,
)
from tests.attack.attacked_service import Attacked, answer_of
from tests.attack.scale import SCALE

HALF_SENT = 3000
WAVE_S = 2.0
CONNECTED_WITHIN_S = 3.0
PROBING = 5  # sockets of the prober, at most
CLOSED_WITHIN_S = HEAD_TIMEOUT_S + 3
FLOOD_BYTES = 32 * 1024 * 1024
VALUE_BYTES = 64 * 1024 * 1024
ANSWERS_BYTES = PIPELINE_MAX * 1024 * 1024  # they have half as much again
UNREAD = b"POST /v1/submissions HTTP/1.1\r\nhost: a\r\ncontent-length: 5000000\r\n\r\n"


async def half_sent(port: int, pieces: tuple[bytes, bytes], every_s: float) -> None:
    """Send a beginning, then a little more again and again, until it is closed."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CONNECTED_WITHIN_S):  # later ones would be another attack
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(pieces[0])
            closed = asyncio.ensure_future(reader.read())
            while not (await asyncio.wait([closed], timeout=every_s))[0]:
                writer.write(pieces[1])
            await closed
        finally:
            writer.close()


async def in_waves(
    attacked: Attacked, count: int, pieces: tuple[bytes, bytes], *, every_s: float, within_s: float
) -> None:
    """So many in each of SCALE waves, until the service holds none of them any more.

    It is the holding of connections that grows with the scale. What an attacker does not get
    accepted he may believe to be open for longer: the service's own sockets are what counts.
    """
    sockets = attacked.connections()

    async def of_wave(wave: int) -> None:
        await asyncio.sleep(wave * WAVE_S)
        await asyncio.gather(*(half_sent(attacked.port, pieces, every_s) for _ in range(count)))

    waves = asyncio.gather(*(of_wave(wave) for wave in range(SCALE)))
    started = time.monotonic()
    await asyncio.wait([waves], timeout=(SCALE - 1) * WAVE_S + within_s)
    while not waves.done() and attacked.connections() > sockets + PROBING:
        assert time.monotonic() - started < (SCALE - 1) * WAVE_S + 2 * within_s
        await asyncio.sleep(0.2)
    waves.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waves


def test_half_sent_heads_end_in_time(attacked: Attacked) -> None:
    pieces = (b"GET / HTTP/1.1\r\nx-a: ", b"y")
    with attacked.watched() as seen:
        asyncio.run(in_waves(attacked, HALF_SENT, pieces, every_s=2, within_s=CLOSED_WITHIN_S))
    seen.assert_harmless()


def test_a_refused_body_is_not_waited_for(attacked: Attacked) -> None:
    """Dribbled after a refusal, it would hold its connection for ever."""
    with attacked.watched() as seen:
        asyncio.run(
            in_waves(attacked, 200, (UNREAD, b"x"), every_s=0.3, within_s=PART_TIMEOUT_S + 3)
        )
    seen.assert_harmless()


@pytest.mark.parametrize(
    ("piece", "pieces"),
    [
        pytest.param(b"x-%d: " + b"y" * 1000 + b"\r\n", FLOOD_BYTES // 1000, id="many headers"),
        pytest.param(b"y" * 65536, VALUE_BYTES // 65536, id="one value"),
    ],
)
def test_a_flood_of_headers_is_refused(attacked: Attacked, piece: bytes, pieces: int) -> None:
    with attacked.watched() as seen:
        sent = 0
        with attacked.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nx-flood: ")
            with contextlib.suppress(ConnectionError):
                for index in range(pieces):
                    connection.sendall(piece.replace(b"%d", b"%d" % index))
                    sent += len(piece)
            answer = answer_of(connection)
    assert answer.startswith(b"HTTP/1.1 431 ") or not answer, "it may be reset while it sends"
    seen.assert_harmless()


def test_heads_that_grow_side_by_side_take_no_memory_together(attacked: Attacked) -> None:
    """Each is within its limit; all of them together are not."""
    pieces = (b"GET / HTTP/1.1\r\n", b"x-a: " + b"y" * (HEAD_MAX_BYTES // 2))
    with attacked.watched() as seen:
        asyncio.run(in_waves(attacked, 600, pieces, every_s=0.5, within_s=CLOSED_WITHIN_S))
    seen.assert_harmless()


def test_trailers_without_end_are_refused(attacked: Attacked) -> None:
    head = (
        b"POST /v1/submissions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n"
        b"authorization: Bearer %s\r\n\r\n0\r\nx-trailer: "
    )
    with attacked.watched() as seen, attacked.connect() as connection:
        connection.sendall(head % attacked.key.encode())
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                connection.sendall(b"y" * 65536)
        answer = answer_of(connection)
    assert answer.startswith(b"HTTP/1.1 431 ") or not answer
    seen.assert_harmless()


def unfetched(port: int, requests: int) -> socket.socket:
    """A connection with requests, one behind the other, that reads no answer."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: a\r\n\r\n" * requests)
    return connection


@pytest.mark.parametrize("requests", [PIPELINE_MAX, 400])
def test_answers_that_nobody_fetches_take_no_memory(attacked: Attacked, requests: int) -> None:
    connections = []
    with attacked.watched() as seen:
        for _ in range(60):
            connections.append(unfetched(attacked.port, requests))
            time.sleep(
                0.02 * SCALE
            )  # slower than a flood of requests: it is the waiting that counts
    for connection in connections:
        connection.close()
    seen.assert_harmless()


if SCALE > 1:  # it takes half a minute

    def test_an_answer_that_nobody_fetches_is_given_up(attacked: Attacked) -> None:
        with unfetched(attacked.port, PIPELINE_MAX) as connection:
            time.sleep(WRITE_TIMEOUT_S + 3)
            connection.settimeout(5)
            assert len(answer_of(connection)) < ANSWERS_BYTES, "its end was thrown away"
