"""`make chaos`: kills every process of a running stack with SIGKILL, under load; then counts.

Senders post singles and batches, repeat what was not answered and, on purpose, what was. Meanwhile
web, workers, beat, Redis and PostgreSQL are killed at random and brought back by the stack. In the
end every acknowledged submission must be counted or parked exactly once, and `ikm verify` must find
nothing.
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
            memory, killed = storm(city, arguments.kills, arguments.seed)
            print("\nwaiting until everything is counted", flush=True)
            await_settled(city)
            faults = judge(city, memory)
    print(f"killed: {dict(killed)}")
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
