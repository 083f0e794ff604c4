"""The inbox as ingest writes to it: the real one and the one in memory, judged by one suite."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.connections import ingest_redis, worker_redis
from shared.inbox.entry import Parcel
from shared.inbox.reader import Reader
from shared.inbox.writer import Writer
from tests.unit.ingest.doubles import MemoryWriter

PREFIX = "kontrak:"
Kept = Callable[[], list[list[Parcel]]]
Work = Callable[[Writer, Kept], Awaitable[None]]
Use = Callable[[Work], None]


def parcel(*ids: str) -> Parcel:
    return Parcel(
        "loket", 1_777_777_777_000_000, b"r" * 16 * len(ids), list(ids), [b'{"a":1}'] * len(ids)
    )


async def in_memory(work: Work, _: str) -> None:
    writer = MemoryWriter()
    await work(writer, lambda: writer.entries)


async def in_redis(work: Work, url: str) -> None:
    with worker_redis(url) as client:
        reader = Reader(client, PREFIX, "uji")
        reader.prepare()
        async with ingest_redis(url, timeout_s=5) as redis:
            writer = Writer(redis, PREFIX)
            try:
                await work(
                    writer, lambda: [list(entry.parcels or ()) for entry in reader.claim(1000)]
                )
            finally:
                await writer.close()


@pytest.fixture(params=[in_memory, in_redis])
def use(request: pytest.FixtureRequest, redis_url: str) -> Use:
    return lambda work: asyncio.run(request.param(work, redis_url))


def test_an_append_is_one_entry_with_all_its_parcels_in_order(use: Use) -> None:
    async def work(writer: Writer, kept: Kept) -> None:
        first, second = [parcel("a"), parcel("b", "c")], [parcel("d")]
        await writer.append(first, 3)
        await writer.append(second, 1)
        assert kept() == [first, second]

    use(work)


def test_the_totals_grow_by_submissions(use: Use) -> None:
    async def work(writer: Writer, _: Kept) -> None:
        assert await writer.totals() == (0, 0)
        assert await writer.append([parcel("a"), parcel("b", "c")], 3) == (3, 0)
        assert await writer.append([parcel("d")], 1) == (4, 0)
        assert await writer.totals() == (4, 0)

    use(work)


def test_the_same_parcel_twice_is_two_entries(use: Use) -> None:
    async def work(writer: Writer, kept: Kept) -> None:
        await writer.append([parcel("a")], 1)
        await writer.append([parcel("a")], 1)
        assert kept() == [[parcel("a")], [parcel("a")]]

    use(work)
