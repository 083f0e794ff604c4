"""The body of a request: whole or refused; too much and too slow, as early as they are seen."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message, Receive

from services.ingest import body
from services.ingest.formats.format import BATCH_MAX_BYTES
from shared.problems import Refused
from tests.unit.ingest.doubles import receiving


def read(receive: Receive, headers: Mapping[bytes, bytes] | None = None) -> bytes:
    return asyncio.run(body.read(receive, headers or {}))


def refusal(receive: Receive, headers: Mapping[bytes, bytes] | None = None) -> str:
    with pytest.raises(Refused) as refused:
        read(receive, headers)
    return refused.value.problem.code


async def unasked() -> Message:
    raise AssertionError("a body that is refused by its headers must not be read")


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_body_is_what_was_sent_however_it_was_cut(chunks: Sequence[bytes], late: bool) -> None:
    assert read(receiving(chunks, 0.0001 if late else 0)) == b"".join(chunks)


@pytest.mark.parametrize("late", [0, 0.001])
@pytest.mark.parametrize("chunks", [[b"x" * BATCH_MAX_BYTES], [b"x" * (BATCH_MAX_BYTES // 2)] * 2])
def test_the_limit_itself_is_allowed_and_one_byte_more_is_not(
    chunks: list[bytes], late: float
) -> None:
    assert len(read(receiving(chunks, late))) == BATCH_MAX_BYTES
    assert refusal(receiving([*chunks[:-1], chunks[-1] + b"x"], late)) == "too-large"


def test_an_endless_body_is_refused_when_it_passes_the_limit() -> None:
    given_out = 0

    async def endless() -> Message:
        nonlocal given_out
        given_out += 1
        return {"type": "http.request", "body": b"x" * 1024 * 1024, "more_body": True}

    assert refusal(endless) == "too-large"
    assert given_out == 11


def test_what_announces_too_much_is_not_read() -> None:
    announced = str(BATCH_MAX_BYTES + 1).encode()
    assert refusal(unasked, {b"content-length": announced}) == "too-large"


@pytest.mark.parametrize("announced", [b"-1", b"", b"1e3", b"+5", b"1 1", b"1, 1", b"9" * 5000])
def test_what_announces_no_length_is_not_read(announced: bytes) -> None:
    assert refusal(unasked, {b"content-length": announced}) == "malformed-request"


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"identity, gzip", b""])
def test_an_encoded_body_is_not_read(encoding: bytes) -> None:
    assert refusal(unasked, {b"content-encoding": encoding}) == "unsupported-media-type"
    assert read(receiving([b"x"]), {b"content-encoding": b"Identity"}) == b"x"


@pytest.mark.parametrize("first", [[], [b"{}", b""]])
def test_a_body_that_stalls_is_given_up(
    first: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "TIMEOUT_S", 0.05)
    begin = receiving(first)
    left = len(first) - 1

    async def stalls() -> Message:
        nonlocal left
        if left > 0:
            left -= 1
            return await begin()
        await asyncio.Event().wait()
        raise AssertionError

    assert refusal(stalls) == "request-timeout"


def test_a_trickle_is_given_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "TIMEOUT_S", 0.05)
    assert refusal(receiving([b"x"] * 100, 0.005)) == "request-timeout"


@pytest.mark.parametrize("late", [0, 0.001])
def test_half_a_body_is_none(late: float) -> None:
    receive = receiving([b'{"a":1}', b""], late)
    sent = 0

    async def breaks_off() -> Message:
        nonlocal sent
        sent += 1
        return await receive() if sent == 1 else {"type": "http.disconnect"}

    assert refusal(breaks_off) == "request-timeout"


def test_a_server_that_stops_ends_the_wait_as_a_cancellation() -> None:
    async def main() -> None:
        async def never() -> Message:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            raise AssertionError

        ended = asyncio.Event()
        waiting = asyncio.create_task(body.read(never, {}))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert ended.is_set()

    asyncio.run(main())
