"""The inbox on a real Redis: what is appended is claimed and settled once, never in between."""

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from shared.connections import ingest_redis, worker_redis
from shared.inbox.audit import Audit
from shared.inbox.entry import Parcel
from shared.inbox.keys import GROUP, Depth, Keys
from shared.inbox.reader import Reader
from shared.inbox.writer import Writer

PREFIX = "uji:"
KEYS = Keys.of(PREFIX)
ALL = 1_000_000


def parcel(*ids: str, size: int = 2) -> Parcel:
    return Parcel(
        "loket", 1_777_777_777_000_000, b"r" * 16 * len(ids), list(ids), [b"x" * size] * len(ids)
    )


def append(url: str, *entries: Sequence[Parcel]) -> list[tuple[int, int]]:
    async def main() -> list[tuple[int, int]]:
        async with ingest_redis(url, timeout_s=5) as redis:
            writer = Writer(redis, PREFIX)
            try:
                return [
                    await writer.append(parcels, sum(len(p.ids) for p in parcels))
                    for parcels in entries
                ]
            finally:
                await writer.close()

    return asyncio.run(main())


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def client(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Redis]:
    """A worker's client, and one of the other version of the protocol: both must read the same."""
    with Redis.from_url(redis_url, protocol=request.param, socket_timeout=10) as redis:
        yield redis


@pytest.fixture
def inbox(client: Redis) -> Reader:
    reader = Reader(client, PREFIX, "satu")
    reader.prepare()
    return reader


def other(client: Redis) -> Reader:
    return Reader(client, PREFIX, "dua")


def depth(reader: Reader) -> tuple[int, int, int]:
    depth = reader.depth()
    return depth.accepted, depth.settled, depth.entries


def foreign(client: Redis, **fields: bytes | str) -> None:
    client.xadd(KEYS.stream, dict(fields.items()))


def test_what_is_appended_is_claimed_in_order_and_whole(inbox: Reader, redis_url: str) -> None:
    first, second = [parcel("a"), parcel("b", "c")], [parcel("d")]
    assert append(redis_url, first, second) == [(3, 0), (4, 0)]
    entries = inbox.claim(ALL)
    assert [list(entry.parcels or ()) for entry in entries] == [first, second]
    assert [entry.accepted for entry in entries] == [3, 1]
    assert entries[0].position < entries[1].position
    assert len({entry.entry for entry in entries}) == 2


def test_a_claim_belongs_to_one_worker(inbox: Reader, client: Redis, redis_url: str) -> None:
    append(redis_url, [parcel("a")], [parcel("b")])
    mine, theirs = inbox.claim(1), other(client).claim(ALL)
    assert [list(entry.parcels or ()) for entry in (*mine, *theirs)] == [
        [parcel("a")],
        [parcel("b")],
    ]
    assert inbox.claim(ALL) == []


def test_a_claim_takes_about_as_many_as_it_was_asked_for(inbox: Reader, redis_url: str) -> None:
    append(redis_url, *([parcel(*(f"{n}-{i}" for i in range(10)))] for n in range(30)))
    assert sum(entry.accepted for entry in inbox.claim(100)) in range(100, 120)
    assert sum(entry.accepted for entry in inbox.claim(ALL)) in range(180, 201)


def test_a_large_entry_is_claimed_alone(inbox: Reader, redis_url: str) -> None:
    append(redis_url, *([parcel(*map(str, range(5000)))] for _ in range(3)))
    assert len(inbox.claim(5000)) == 1


def test_an_empty_inbox_is_waited_for_no_longer_than_said(inbox: Reader) -> None:
    started = time.monotonic()
    assert inbox.claim(ALL, wait_ms=60) == []
    assert 0.05 < time.monotonic() - started < 1.5
    assert inbox.claim(ALL) == []


def test_settling_deletes_and_counts(inbox: Reader, client: Redis, redis_url: str) -> None:
    append(redis_url, [parcel("a", "b")], [parcel("c")])
    entries = inbox.claim(ALL)
    inbox.settle(entries[:1])
    assert depth(inbox) == (3, 2, 1)
    assert inbox.leftovers(ALL) == entries[1:]
    inbox.settle(entries[1:])
    assert depth(inbox) == (3, 3, 0)
    assert client.xpending(KEYS.stream, GROUP)["pending"] == 0
    assert append(redis_url, [parcel("d")]) == [(4, 3)]


def test_settling_again_changes_nothing(inbox: Reader, client: Redis, redis_url: str) -> None:
    append(redis_url, [parcel("a", "b")])
    entries = inbox.claim(ALL)
    for reader in (inbox, inbox, other(client)):
        reader.settle(entries)
    inbox.settle([])
    inbox.settle(entries * 3)
    assert depth(inbox) == (2, 2, 0)


def test_two_workers_that_settle_the_same_count_it_once(
    inbox: Reader, client: Redis, redis_url: str
) -> None:
    append(redis_url, [parcel("a", "b")])
    mine = inbox.claim(ALL)
    theirs = other(client).take_over(0, ALL)
    assert mine == theirs
    inbox.settle(mine)
    other(client).settle(theirs)
    assert depth(inbox) == (2, 2, 0)


def test_what_was_not_settled_is_left_over_for_its_worker(
    inbox: Reader, client: Redis, redis_url: str
) -> None:
    append(redis_url, [parcel("a")], [parcel("b")], [parcel("c")])
    entries = inbox.claim(ALL)
    assert inbox.leftovers(ALL) == entries
    assert len(inbox.leftovers(2)) == 2
    assert other(client).leftovers(ALL) == []


def test_what_is_left_over_and_was_deleted_by_hand_is_dropped(
    inbox: Reader, client: Redis, redis_url: str
) -> None:
    append(redis_url, [parcel("a")], [parcel("b")])
    entries = inbox.claim(ALL)
    client.xdel(KEYS.stream, entries[0].stream_id)
    leftovers = inbox.leftovers(ALL) or inbox.leftovers(ALL)
    assert leftovers == entries[1:]
    assert client.xpending(KEYS.stream, GROUP)["pending"] == 1


def test_a_dead_workers_entries_are_taken_over_after_a_while(
    inbox: Reader, client: Redis, redis_url: str
) -> None:
    append(redis_url, *([parcel(str(n))] for n in range(200)))
    entries = inbox.claim(ALL)
    assert other(client).take_over(60, ALL) == []
    time.sleep(0.06)
    taken = other(client).take_over(0.05, ALL)
    assert taken == entries
    assert other(client).leftovers(ALL) == entries
    assert inbox.leftovers(ALL) == []
    assert inbox.take_over(60, ALL) == []


def test_entries_that_were_deleted_by_hand_do_not_hinder_a_take_over(
    inbox: Reader, client: Redis, redis_url: str
) -> None:
    append(redis_url, *([parcel(str(n))] for n in range(6)))
    entries = inbox.claim(ALL)
    client.xdel(KEYS.stream, *(entry.stream_id for entry in entries[:3]))
    time.sleep(0.01)
    taken = []
    for _ in range(4):  # Redis 6.2 hands over the claim on nothing, and its new holder drops it
        taken += other(client).take_over(0.005, ALL)
        other(client).leftovers(1)
    assert {entry.entry for entry in taken} == {entry.entry for entry in entries[3:]}


@pytest.mark.parametrize(
    "fields",
    [
        {"hello": "world"},
        {"p": b"\x90", "e": b"0" * 16, "n": b"0"},
        {"p": b"garbage", "e": b"0" * 16, "n": b"1"},
        {"p": b"\x90", "n": b"1"},
        {"e": b"short", "n": b"x", "p": b""},
    ],
)
def test_a_foreign_entry_is_kept_as_one_submission(
    inbox: Reader, client: Redis, fields: dict[str, bytes]
) -> None:
    foreign(client, **fields)
    assert depth(inbox) == (0, 0, 1)
    (entry,) = inbox.claim(ALL)
    assert (entry.parcels, entry.accepted) == (None, 1)
    assert all(name.encode() in entry.raw for name in fields)
    assert inbox.leftovers(ALL) == [entry], "a redelivery is the same entry"
    for _ in range(2):
        inbox.settle([entry])
    assert depth(inbox) == (1, 1, 0)


def test_a_foreign_entry_between_others_hinders_none(
    inbox: Reader, client: Redis, redis_url: str
) -> None:
    append(redis_url, [parcel("a", "b")])
    foreign(client, hello="world")
    append(redis_url, [parcel("c")])
    entries = inbox.claim(ALL)
    assert [entry.accepted for entry in entries] == [2, 1, 1]
    inbox.settle(entries)
    assert depth(inbox) == (4, 4, 0)


def test_the_depth_knows_the_age_of_the_oldest(inbox: Reader, redis_url: str) -> None:
    assert inbox.depth() == Depth(0, 0, 0, 0.0)
    append(redis_url, [parcel("a", "b")])
    time.sleep(0.05)
    depth = inbox.depth()
    assert (depth.waiting, depth.entries) == (2, 1)
    assert 0.04 < depth.oldest_age_s < 5


def test_unclaimed_is_what_no_worker_was_given(inbox: Reader, redis_url: str) -> None:
    assert not inbox.unclaimed()
    append(redis_url, [parcel("a")])
    assert inbox.unclaimed()
    entries = inbox.claim(ALL)
    assert not inbox.unclaimed()
    append(redis_url, [parcel("b")])
    inbox.settle(entries)
    assert inbox.unclaimed()


def test_before_the_horizon_everything_is_settled(inbox: Reader, redis_url: str) -> None:
    start = inbox.horizon()
    append(redis_url, [parcel("a")], [parcel("b")])
    first, second = inbox.claim(ALL)
    assert start <= inbox.horizon() == first.position
    inbox.settle([first])
    assert inbox.horizon() == second.position
    inbox.settle([second])
    beyond = inbox.horizon()
    assert beyond > second.position
    append(redis_url, [parcel("c")])
    assert inbox.claim(ALL)[0].position >= beyond


def test_a_redis_that_was_emptied_begins_another_life(
    inbox: Reader, client: Redis, redis_url: str
) -> None:
    epoch = inbox.epoch()
    assert inbox.epoch() == epoch
    append(redis_url, [parcel("a")])
    entries = inbox.claim(ALL)
    client.flushall()
    append(redis_url, [parcel("b")])
    with pytest.raises(ResponseError, match="NOGROUP"):
        inbox.claim(ALL)
    inbox.settle(entries)  # of the earlier life: not there, so not counted
    assert inbox.epoch() != epoch
    assert depth(inbox) == (1, 0, 1)
    assert [list(entry.parcels or ()) for entry in inbox.claim(ALL)] == [[parcel("b")]], (
        "appended before the group was there"
    )


def test_preparing_again_loses_nothing(inbox: Reader, redis_url: str) -> None:
    append(redis_url, [parcel("a")])
    entries, epoch = inbox.claim(ALL), inbox.epoch()
    inbox.prepare()
    assert (inbox.epoch(), inbox.leftovers(ALL)) == (epoch, entries)
    assert inbox.claim(ALL) == []


def test_only_idle_workers_without_entries_are_forgotten(
    inbox: Reader, client: Redis, redis_url: str
) -> None:
    append(redis_url, [parcel("a")], [parcel("b")])
    entries = inbox.claim(1)
    inbox.settle(other(client).claim(1))
    time.sleep(0.02)
    inbox.retire(60)
    assert {consumer["name"] for consumer in client.xinfo_consumers(KEYS.stream, GROUP)} == {
        b"satu",
        b"dua",
    }
    inbox.retire(0.01)
    assert {consumer["name"] for consumer in client.xinfo_consumers(KEYS.stream, GROUP)} == {
        b"satu"
    }
    assert inbox.leftovers(ALL) == entries
    append(redis_url, [parcel("c")])
    assert len(other(client).claim(ALL)) == 1, "who was forgotten may come back"


def test_two_prefixes_are_two_inboxes(inbox: Reader, client: Redis, redis_url: str) -> None:
    append(redis_url, [parcel("a")])
    neighbour = Reader(client, "lain:", "satu")
    neighbour.prepare()
    assert neighbour.claim(ALL) == []
    assert neighbour.epoch() != inbox.epoch()


def test_an_audit_sees_the_totals_and_what_is_held(
    inbox: Reader, client: Redis, redis_url: str
) -> None:
    audit = Audit(client, PREFIX)
    append(redis_url, *([parcel(*"ab")] for _ in range(20)))
    foreign(client, hello="world")
    inbox.settle(inbox.claim(10))
    totals = audit.totals()
    assert (totals.epoch, totals.accepted, totals.settled) == (
        inbox.epoch(),
        40,
        40 - inbox.depth().waiting,
    )
    append(redis_url, [parcel("late")])
    own, strangers = audit.held(totals.last)
    assert own.submissions == totals.accepted - totals.settled
    assert (strangers.submissions, len(strangers.entries)) == (1, 16)
    held = {entry for chunk in own.chunks(7) for entry in chunk}
    assert held < {entry.entry for entry in (*inbox.leftovers(ALL), *inbox.claim(ALL))}


def test_an_audit_of_nothing_finds_nothing(redis_url: str) -> None:
    with worker_redis(redis_url) as client:
        audit = Audit(client, PREFIX)
        totals = audit.totals()
        assert (totals.epoch, totals.accepted, totals.settled, totals.last) == (None, 0, 0, (0, 0))
        assert [held.submissions for held in audit.held(totals.last)] == [0, 0]


def test_an_entry_is_on_disk_or_refused_with_its_total(
    inbox: Reader, client: Redis, redis_url: str
) -> None:
    """The entry and the totals are one step: when one of them cannot be, the other is not."""
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(ResponseError, match="maxmemory"):
            append(redis_url, [parcel("a")])
    finally:
        client.config_set("maxmemory", str(1 << 30))
    assert depth(inbox) == (0, 0, 0)
    client.replicaof("nowhere.invalid", "6379")
    try:
        with pytest.raises(ResponseError, match="replica"):
            append(redis_url, [parcel("a")])
    finally:
        client.replicaof("NO", "ONE")
    assert depth(inbox) == (0, 0, 0)


def test_an_identity_is_never_given_twice(inbox: Reader, redis_url: str) -> None:
    append(redis_url, *([parcel("a")] for _ in range(5)))
    entries = inbox.claim(ALL)
    assert len({entry.entry for entry in entries}) == 5
    assert all(isinstance(entry.entry, uuid.UUID) for entry in entries)
