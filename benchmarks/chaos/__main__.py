"""`make chaos`: kills every process of a running stack with SIGKILL, again and again, under load; then counts.

Senders post singles and batches, repeat what was not answered and, on purpose, what was. Meanwhile
web, workers, beat, Redis and PostgreSQL are killed at random and brought back by the stack. In the
end every acknowledged submission must be counted or parked exactly once, and `ikm verify` must find
nothing.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from services.ops.client import Sender

TARGETS = ("web", "worker-inbox", "worker-refresh", "beat", "redis", "postgres")
SENDERS = 8
PAUSE_S = (0.3, 2.0)  # between two kills
SETTLE_TIMEOUT_S = 180.0
IKM = [sys.executable, "-m", "services.ops.cli"]
ROOT = Path(__file__).parents[2]


@dataclass
class Tally:
    """What the senders know."""

    acknowledged: dict[str, str] = field(default_factory=dict)  # id -> receipt
    unknown: set[str] = field(default_factory=set)  # sent, never answered
    statuses: Counter[int] = field(default_factory=Counter)
    duplicates: int = 0


@dataclass
class Stack:
    """One `ikm up` in a folder of its own."""

    home: Path
    process: "subprocess.Popen[bytes]"

    @property
    def state(self) -> dict[str, Any]:
        """What the stack says of itself; empty while it is being written."""
        try:
            found = json.loads((self.home / "stack.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return dict(found)

    def kill(self, name: str) -> bool:
        """SIGKILL the process of that name; False when it is not running just now."""
        pid = self.state.get("processes", {}).get(name)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run an `ikm` command against the stack."""
        environment = {**os.environ, "IKM_HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [*IKM, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def start(home: Path) -> Stack:
    """Start a stack with the example city and wait until it is ready."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IKM_")}
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [*IKM, "up", "--home", str(home), "--port", "0", "--example", "tanjungpinang"],
            cwd=ROOT,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    stack = Stack(home, process)
    deadline = time.monotonic() + 180
    while not (
        stack.state.get("url") and (home / "example.key").exists() and b"kediri" in _log(home)
    ):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the stack did not start:\n{_log(home).decode(errors='replace')}")
        time.sleep(0.3)
    return stack


async def storm(stack: Stack, kills: int, seed: int) -> tuple[Tally, Counter[str]]:
    """Send and kill until `kills` processes were killed."""
    chance = random.Random(seed)
    tally, killed, over = Tally(), Counter[str](), asyncio.Event()
    senders = [
        asyncio.create_task(_sender(stack, tally, over, number, seed)) for number in range(SENDERS)
    ]
    # Every process gets its turn: a shuffled round of all of them, again and again.
    queue: list[str] = []
    while killed.total() < kills:
        await asyncio.sleep(chance.uniform(*PAUSE_S))
        if not queue:
            queue = chance.sample(TARGETS, len(TARGETS))
        if stack.kill(queue[-1]):
            killed[queue.pop()] += 1
            _say(killed, kills, tally)
        if stack.process.poll() is not None:
            raise SystemExit(
                f"the stack itself ended:\n{_log(stack.home).decode(errors='replace')[-3000:]}"
            )
    over.set()
    await asyncio.gather(*senders)
    return tally, killed


async def _sender(stack: Stack, tally: Tally, over: asyncio.Event, number: int, seed: int) -> None:
    chance = random.Random(f"{seed}-{number}")
    key = (stack.home / "example.key").read_text().strip()
    count = 0
    async with Sender(stack.state["url"], key, timeout_s=5) as sender:
        while not over.is_set():
            size = chance.choice((1, 1, 1, 20, 200))
            ids = [f"chaos-{seed}-{number}-{count + index}" for index in range(size)]
            count += size
            await _post(sender, tally, ids)
            if tally.acknowledged and chance.random() < 0.2:
                again = [chance.choice(list(tally.acknowledged)) for _ in range(3)]
                tally.duplicates += len(again)
                await _post(sender, tally, again)
            await asyncio.sleep(chance.uniform(0, 0.03))


async def _post(sender: Sender, tally: Tally, ids: list[str]) -> None:
    body = "\n".join(json.dumps(submission(source_id)) for source_id in ids).encode()
    tally.unknown.update(source_id for source_id in ids if source_id not in tally.acknowledged)
    reply = await sender.post(body, media_type="application/x-ndjson", patience_s=90)
    tally.statuses[reply.status] += 1
    if reply.status == 202:
        receipts = json.loads(reply.body)["receipts"]
        tally.acknowledged.update(zip(ids, receipts, strict=True))
        tally.unknown.difference_update(ids)


def submission(source_id: str) -> dict[str, Any]:
    """The submission of an id: always the same. One in fifty names a service that is not registered: it is parked."""
    chance = random.Random(source_id)
    return {
        "id": source_id,
        "opd": "disdukcapil",
        "layanan": "tidak-terdaftar"
        if _parked(source_id)
        else chance.choice(("ktp-el", "kartu-keluarga")),
        "answers": {f"U{number}": chance.randint(1, 4) for number in range(1, 10)},
    }


def _parked(source_id: str) -> bool:
    return hash_of(source_id) % 50 == 0


def hash_of(text: str) -> int:
    """A number that follows from the text alone."""
    return int.from_bytes(random.Random(text).randbytes(4))


def judge(stack: Stack, tally: Tally) -> list[str]:
    """What is wrong: empty when every promise held."""
    faults = []
    with psycopg.connect(stack.state["database_url"].replace("+psycopg", "")) as connection:
        states = {
            (str(receipt), state)
            for receipt, state in connection.execute(
                "SELECT receipt, state FROM receipt WHERE source_id ~ '^chaos-'"
            )
        }
        tallied = connection.execute(
            "SELECT coalesce(sum(n), 0) FROM day_tally WHERE opd = 'disdukcapil' AND facet = 'all'"
        ).fetchone()
    known = dict(states)
    lost = [source_id for source_id, receipt in tally.acknowledged.items() if receipt not in known]
    if lost:
        faults.append(f"{len(lost)} acknowledged submissions are lost, e.g. {lost[:3]}")
    wrong = [
        source_id
        for source_id, receipt in tally.acknowledged.items()
        if receipt in known and known[receipt] != ("parked" if _parked(source_id) else "counted")
    ]
    if wrong:
        faults.append(f"{len(wrong)} submissions are in the wrong state, e.g. {wrong[:3]}")
    if len(known) > len(tally.acknowledged) + len(tally.unknown):
        faults.append(
            f"{len(known)} receipts, but only {len(tally.acknowledged) + len(tally.unknown)} were ever sent"
        )
    counted = sum(state == "counted" for state in known.values())
    if tallied is None or tallied[0] != counted:
        faults.append(f"{counted} counted, but the tallies say {tallied and tallied[0]}")
    verified = stack.command("verify")
    if verified.returncode:
        faults.append(f"ikm verify found something:\n{verified.stdout}{verified.stderr}")
    return faults


def wait_settled(stack: Stack) -> None:
    """Wait until the inbox is empty and every process is back."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        status = stack.command("status", "--json")
        try:
            waiting = json.loads(status.stdout)["inbox"]["waiting"]
        except (ValueError, KeyError, TypeError):
            waiting = None
        if waiting == 0:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"the inbox does not become empty: {status.stdout}{status.stderr}")
        time.sleep(1)


def main() -> int:
    """Run it; exit 0 when every promise held."""
    parser = argparse.ArgumentParser(prog="benchmarks.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ikm-chaos-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        print(f"seed {arguments.seed}; starting the stack in {folder}", flush=True)
        stack = start(home)
        try:
            tally, killed = asyncio.run(storm(stack, arguments.kills, arguments.seed))
            print("\nwaiting until everything is counted", flush=True)
            wait_settled(stack)
            faults = judge(stack, tally)
        finally:
            stack.process.send_signal(signal.SIGINT)
            stack.process.wait(timeout=90)
    print(f"killed: {dict(killed)}")
    print(
        f"acknowledged {len(tally.acknowledged):,}, sent again on purpose {tally.duplicates:,}, "
        f"never answered {len(tally.unknown):,}, answers {dict(tally.statuses)}"
    )
    for fault in faults:
        print(f"FAULT: {fault}")
    print("every promise held" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def _log(home: Path) -> bytes:
    return (home / "up.log").read_bytes()


def _say(killed: Counter[str], kills: int, tally: Tally) -> None:
    print(
        f"\r{killed.total():>4} of {kills} kills, {len(tally.acknowledged):,} acknowledged",
        end="",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
