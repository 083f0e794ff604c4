"""The storm: senders post, repeat and duplicate while one process after another is killed."""

import json
import random
import time
from collections import Counter
from http import HTTPStatus
from threading import Event, Thread

from benchmarks.chaos.city import City
from benchmarks.chaos.submissions import Memory, body_of
from services.ops.client import Client

TARGETS = ("web", "worker-inbox", "worker-refresh", "beat", "redis", "postgres")
SENDERS = 8
BATCHES = (1, 1, 1, 20, 200)  # submissions in one POST
DUPLICATES = 0.2  # share of the POSTs after which earlier submissions are sent again
PAUSE_S = (0.3, 2.0)  # between two kills
PATIENCE_S = 90.0
TIMEOUT_S = 5.0


class StackEnded(Exception):
    """The stack itself ended."""


def storm(city: City, kills: int, seed: int) -> tuple[Memory, Counter[str]]:
    """Send and kill until so many were killed; return what was sent, and who was killed."""
    memory, over = Memory(), Event()
    senders = [
        Thread(target=_send, args=(city, memory, over, f"{seed}-{number}"), daemon=True)
        for number in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    killed = _kill(city, memory, kills, random.Random(seed))
    over.set()
    for sender in senders:
        sender.join()
    return memory, killed


def _kill(city: City, memory: Memory, kills: int, chance: random.Random) -> Counter[str]:
    """Kill in shuffled rounds, so that every process gets its turn."""
    killed = Counter[str]()
    targets: list[str] = []
    while killed.total() < kills:
        time.sleep(chance.uniform(*PAUSE_S))
        targets = targets or chance.sample(TARGETS, len(TARGETS))
        if city.kill(targets[-1]):
            killed[targets.pop()] += 1
            _tell(killed.total(), kills, memory)
        if not city.up.runs:
            raise StackEnded(city.up.end_of_log())
    return killed


def _send(city: City, memory: Memory, over: Event, name: str) -> None:
    chance = random.Random(name)
    key, count = city.key, 0
    with Client(city.url, timeout_s=TIMEOUT_S) as client:
        while not over.is_set():
            size = chance.choice(BATCHES)
            _post(client, key, memory, [f"chaos-{name}-{count + index}" for index in range(size)])
            count += size
            if chance.random() < DUPLICATES:
                _post_again(client, key, memory, chance)
            time.sleep(chance.uniform(0, 0.03))


def _post_again(client: Client, key: str, memory: Memory, chance: random.Random) -> None:
    with memory.lock:
        earlier = list(memory.acknowledged)
        if not earlier:
            return
        memory.duplicates += 3
    _post(client, key, memory, [chance.choice(earlier) for _ in range(3)])


def _post(client: Client, key: str, memory: Memory, source_ids: list[str]) -> None:
    with memory.lock:
        memory.unanswered.update(set(source_ids) - memory.acknowledged.keys())
    answer = client.submit(
        body_of(source_ids), key, media_type="application/x-ndjson", patience_s=PATIENCE_S
    )
    with memory.lock:
        memory.statuses[answer.status] += 1
        if answer.status == HTTPStatus.ACCEPTED:
            receipts = json.loads(answer.body)["receipts"]
            memory.acknowledged.update(zip(source_ids, receipts, strict=True))
            memory.unanswered.difference_update(source_ids)


def _tell(killed: int, kills: int, memory: Memory) -> None:
    text = f"{killed:>4} of {kills} kills, {len(memory.acknowledged):,} acknowledged"
    print(f"\r{text}", end="", flush=True)
