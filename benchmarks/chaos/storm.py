"""The storm: senders post, repeat and duplicate while processes are killed and frozen."""

import json
import random
import time
from collections import Counter
from http import HTTPStatus
from threading import Event, Thread
from typing import NamedTuple

from benchmarks.chaos.city import City
from benchmarks.chaos.freezing import Freezer
from benchmarks.chaos.onlooker import Onlooker
from benchmarks.chaos.submissions import Memory, body_of
from services.ops.client import Client

TARGETS = ("web", "worker-inbox", "worker-refresh", "beat", "redis", "postgres")
SENDERS = 8
BATCHES = (1, 1, 1, 20, 200)  # submissions in one POST
DUPLICATES = 0.2  # share of the POSTs after which earlier submissions are sent again
PAUSE_S = (0.3, 2.0)  # between two kills
FREEZES = 0.4  # share of the kills after which something is frozen
PATIENCE_S = 90.0
TIMEOUT_S = 5.0


class StackEnded(Exception):
    """The stack itself ended."""


class Storm(NamedTuple):
    """What was sent, what was seen meanwhile, and who was killed and frozen how often."""

    memory: Memory
    onlooker: Onlooker
    killed: Counter[str]
    frozen: Counter[str]


def storm(city: City, kills: int, seed: int) -> Storm:
    """Send, kill and freeze until so many were killed."""
    raging, over = Storm(Memory(), Onlooker(), Counter(), Counter()), Event()
    busy = [
        Thread(target=_send, args=(city, raging.memory, over, f"{seed}-{number}"), daemon=True)
        for number in range(SENDERS)
    ]
    busy.append(Thread(target=raging.onlooker.look, args=(city.url, over), daemon=True))
    for thread in busy:
        thread.start()
    _strike(city, raging, kills, random.Random(seed))
    over.set()
    for thread in busy:
        thread.join()
    return raging


def _strike(city: City, raging: Storm, kills: int, chance: random.Random) -> None:
    """Kill in shuffled rounds, so that every process gets its turn; freeze some in between."""
    freezer = Freezer(chance)
    targets: list[str] = []
    try:
        while raging.killed.total() < kills:
            freezer.thaw()
            time.sleep(chance.uniform(*PAUSE_S))
            targets = targets or chance.sample(TARGETS, len(TARGETS))
            if city.kill(targets[-1]):
                raging.killed[targets.pop()] += 1
                _tell(raging, kills)
                if chance.random() < FREEZES:
                    _freeze(city, raging, freezer, chance)
            if not city.up.runs:
                raise StackEnded(city.up.end_of_log())
    finally:
        freezer.thaw(everything=True)


def _freeze(city: City, raging: Storm, freezer: Freezer, chance: random.Random) -> None:
    name = chance.choice([target for target in TARGETS if target not in freezer.names])
    pid = city.process(name)
    if pid is not None:
        freezer.freeze(name, pid)
        raging.frozen[name] += 1


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


def _tell(raging: Storm, kills: int) -> None:
    done, frozen = raging.killed.total(), raging.frozen.total()
    acknowledged = len(raging.memory.acknowledged)
    text = f"{done:>4} of {kills} kills, {frozen} frozen, {acknowledged:,} acknowledged"
    print(f"\r{text}", end="", flush=True)
