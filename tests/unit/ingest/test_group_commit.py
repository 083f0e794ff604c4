"""Group commit: who waits for what, in which order, for how long."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis.exceptions import BusyLoadingError, ReadOnlyError, RedisError

from services.ingest.group_commit import ENTRY_BYTES, ENTRY_SUBMISSIONS, FULL_GROUP, GroupCommit
from shared.inbox.entry import Parcel
from tests.builders import RECEIPT_MAKER
from tests.unit.ingest.doubles import MemoryWriter


def parcel(name: str, submissions: int = 1, size: int = 10) -> Parcel:
    return Parcel(name, 0, b"", [name] * submissions, [b"x" * size] * submissions)


class Told:
    def __init__(self) -> None:
        self.totals: list[tuple[int, int]] = []
        self.failures = 0

    def stored(self, accepted: int, settled: int) -> None:
        self.totals.append((accepted, settled))

    def failed(self) -> None:
        self.failures += 1


Work = Callable[[GroupCommit, MemoryWriter, Told], Awaitable[None]]


def run(work: Work, timeout: float = 0.5) -> None:
    async def main() -> None:
        writer, told = MemoryWriter(), Told()
        commit = GroupCommit(writer, timeout, lambda: RECEIPT_MAKER, told.stored, told.failed)
        async with asyncio.timeout(5):
            await work(commit, writer, told)

    asyncio.run(main())


def test_what_comes_during_an_append_is_the_next_entry() -> None:
    async def work(commit: GroupCommit, writer: MemoryWriter, told: Told) -> None:
        writer.delay = 0.02
        first = commit.store(parcel("a"))
        await asyncio.sleep(0.01)
        later = [commit.store(parcel(name)) for name in "bcd"]
        assert await asyncio.gather(first, *later) == [True] * 4
        assert [[item.channel for item in entry] for entry in writer.entries] == [
            ["a"],
            ["b", "c", "d"],
        ]
        assert told.totals == [(1, 0), (4, 0)]

    run(work)


def test_a_group_that_is_full_leaves_at_once_and_a_smaller_one_waits_for_company() -> None:
    async def work(commit: GroupCommit, writer: MemoryWriter, told: Told) -> None:
        assert await asyncio.gather(*(commit.store(parcel(str(n))) for n in range(3))) == [True] * 3
        stored = [commit.store(parcel(str(n))) for n in range(FULL_GROUP + 1)]
        assert writer.under_way is not None, "one behind the other: nothing was awaited"
        assert not writer.under_way.done()
        assert await asyncio.gather(*stored) == [True] * (FULL_GROUP + 1)
        assert [len(entry) for entry in writer.entries] == [1, 2, FULL_GROUP, 1]
        alone = commit.store(parcel("alone"))
        await asyncio.sleep(0)
        assert len(writer.entries) == 4
        assert await alone

    run(work)


@pytest.mark.parametrize(
    ("sizes", "entries"),
    [
        ([(ENTRY_SUBMISSIONS, 1), (1, 1)], [1, 1]),
        ([(ENTRY_SUBMISSIONS - 1, 1), (1, 1), (1, 1)], [2, 1]),
        ([(10, ENTRY_BYTES // 10)] * 2, [1, 1]),
        ([(10, ENTRY_BYTES // 40)] * 5, [4, 1]),
        ([(2 * ENTRY_SUBMISSIONS, 1), (1, 1)], [1, 1]),
    ],
)
def test_an_entry_stays_digestible(sizes: list[tuple[int, int]], entries: list[int]) -> None:
    async def work(commit: GroupCommit, writer: MemoryWriter, told: Told) -> None:
        writer.delay = 0.01
        parcels = [
            parcel("0"),
            *(parcel(str(index), *size) for index, size in enumerate(sizes, start=1)),
        ]
        assert all(await asyncio.gather(*map(commit.store, parcels)))
        assert [len(entry) for entry in writer.entries] == [1, *entries]
        order = [int(item.channel) for entry in writer.entries for item in entry]
        assert order == sorted(order)

    run(work)


@pytest.mark.parametrize(
    "error", [BusyLoadingError("LOADING"), ReadOnlyError("READONLY"), OSError("gone")]
)
def test_a_store_that_refuses_makes_all_who_wait_fail_at_once(error: Exception) -> None:
    async def work(commit: GroupCommit, writer: MemoryWriter, told: Told) -> None:
        writer.delay, writer.fail = 0.3, [error]
        first = commit.store(parcel("a"))
        await asyncio.sleep(0.01)
        second = commit.store(parcel("b"))
        assert set(await asyncio.gather(first, second)) == {False}
        assert (writer.entries, told.failures) == ([], 1)
        assert await commit.store(parcel("c"))

    run(work)


def test_a_silent_store_costs_no_request_more_than_the_time_out() -> None:
    async def work(commit: GroupCommit, writer: MemoryWriter, told: Told) -> None:
        writer.delay = 10
        loop = asyncio.get_running_loop()
        started = loop.time()
        first = commit.store(parcel("a"))
        await asyncio.sleep(0.1)
        second = commit.store(parcel("b"))
        assert set(await asyncio.gather(first, second)) == {False}
        assert loop.time() - started < 0.35
        assert told.failures == 1

    run(work, timeout=0.2)


def test_an_error_that_nobody_foresaw_leaves_nobody_waiting() -> None:
    async def work(commit: GroupCommit, writer: MemoryWriter, told: Told) -> None:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: reported.append(context["exception"])
        )
        error = ArithmeticError("a bug")
        writer.fail = [error]
        assert set(await asyncio.gather(commit.store(parcel("a")), commit.store(parcel("b")))) == {
            False
        }
        await asyncio.sleep(0)
        assert await commit.store(parcel("c"))
        assert reported == [error]

    run(work)


@pytest.mark.parametrize("error", [ArithmeticError("a bug"), RedisError("lost just now")])
def test_an_append_that_cannot_even_begin_leaves_nobody_waiting(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(commit: GroupCommit, writer: MemoryWriter, told: Told) -> None:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: reported.append(context["exception"])
        )
        writer.delay = 0.01
        first = commit.store(parcel("first"))
        behind = [commit.store(parcel(name)) for name in "ab"]

        def refuse(*_: object) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(writer, "start", refuse)
            assert await first
            assert await asyncio.gather(*behind) == [False, False]
        await asyncio.sleep(0)
        assert reported == ([error] if isinstance(error, ArithmeticError) else [])
        assert await commit.store(parcel("c"))

    run(work)


def test_a_client_that_has_gone_holds_nobody_up() -> None:
    async def work(commit: GroupCommit, writer: MemoryWriter, told: Told) -> None:
        writer.delay = 0.02
        first = commit.store(parcel("first"))
        gone = commit.store(parcel("a"))
        stays = commit.store(parcel("b"))
        await asyncio.sleep(0.01)
        gone.cancel()
        assert all(await asyncio.gather(first, stays))
        assert [len(entry) for entry in writer.entries] == [1, 2]

    run(work)


def test_closing_waits_for_what_is_under_way() -> None:
    async def work(commit: GroupCommit, writer: MemoryWriter, told: Told) -> None:
        writer.delay = 0.05
        task = commit.store(parcel("a"))
        await asyncio.sleep(0)
        await commit.close()
        assert len(writer.entries) == 1
        assert await task

    run(work)
