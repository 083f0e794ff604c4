"""`make chaos`: kills and freezes every process of a running stack, under load; then counts.

Senders post singles and batches, repeat what was not answered and, on purpose, what was. Meanwhile
web, workers, beat, Redis and PostgreSQL are killed at random (SIGKILL) and brought back by the
stack, and stopped for a while (SIGSTOP, SIGCONT), now and then for longer than a takeover. Somebody
without a key looks at the public figures all the time. In the end every acknowledged submission
must be counted or parked exactly once, the tally and the index of every OPD must be those of a
model, the public figures must have moved in steps, and `ikm verify` must find nothing.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos.city import running_city
from benchmarks.chaos.judge import await_settled, judge
from benchmarks.chaos.storm import storm
from benchmarks.interrupts import until_interrupted


def main() -> int:
    """Run the storm; 0 when every promise held."""
    parser = argparse.ArgumentParser(prog="benchmarks.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ikm-chaos-", ignore_cleanup_errors=True) as created:
        folder = Path(created)
        folder.chmod(0o755)  # PostgreSQL, which never runs as root, passes through it
        print(f"seed {arguments.seed}; starting the stack in {folder}", flush=True)
        with running_city(folder) as city:
            passed = storm(city, arguments.kills, arguments.seed)
            print("\nwaiting until everything is counted", flush=True)
            await_settled(city)
            faults = judge(city, passed)
    print(f"killed: {dict(passed.killed)}")
    print(f"frozen: {dict(passed.frozen)}")
    seen = sum(map(len, passed.onlooker.seen.values()))
    print(f"public figures that somebody without a key saw move: {seen:,}")
    memory = passed.memory
    print(
        f"acknowledged {len(memory.acknowledged):,}, sent again on purpose {memory.duplicates:,}, "
        f"never answered {len(memory.unanswered):,}, answers {dict(memory.statuses)}"
    )
    for fault in faults:
        print(f"FAULT: {fault}")
    print("every promise held" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(until_interrupted(main))
