"""`python -m benchmarks`: run the measures, print their table, keep everything as JSON."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks import machine
from benchmarks.figures import Figure, print_figures
from benchmarks.interrupts import until_interrupted
from benchmarks.plan import Plan
from benchmarks.running.processes import ELSEWHERE, Cores, pinned

MEASURES = ("accept", "batches", "count", "workers", "groupby", "read", "freshness", "memory")
QUIET = 0.1  # of a core: what others may use during a run


def main(arguments: list[str] | None = None) -> int:
    """Measure; 0 when no figure misses its target, else 1."""
    chosen = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(
        prefix="ikm-bench-", dir=chosen.folder, ignore_cleanup_errors=True
    ) as created:
        folder = Path(created)
        folder.chmod(0o755)  # PostgreSQL, which never runs as root, passes through it
        plan = Plan(folder, Cores.plan(), chosen.runs, chosen.quick)
        conditions = machine.describe(folder, plan.cores) | {
            "quick": plan.quick,
            "runs": plan.runs,
        }
        _introduce(conditions)
        figures = _measure(plan, chosen.only or list(MEASURES))
    print_figures(figures)
    documents = [figure.as_json() for figure in figures]
    disturbance = max(_elsewhere(documents), default=0.0)
    if disturbance > QUIET:
        print(
            f"\nNot quiet: others kept up to {disturbance:.2f} cores busy. "
            "Take these numbers for nothing."
        )
    if chosen.json is not None:
        result = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": conditions,
            "most_cores_busy_elsewhere": disturbance,
            "figures": documents,
        }
        chosen.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        print(f"\nwritten: {chosen.json}")
    return 1 if any(figure.ok is False for figure in figures) else 0


def _measure(plan: Plan, names: list[str]) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        print(f"… {name}", flush=True)
        with pinned(plan.cores.others):
            measured = import_module(f"benchmarks.measures.{name}").measure(plan)
        print_figures(measured)
        print(flush=True)
        figures += measured
    return figures


def _elsewhere(document: object) -> Iterator[float]:
    """Yield every share of the cores that somebody else had during a run."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from [value] if key == ELSEWHERE else _elsewhere(value)
    elif isinstance(document, list):
        for item in document:
            yield from _elsewhere(item)


def _introduce(conditions: dict[str, object]) -> None:
    print(f"{conditions['cpu']}, {conditions['cores']} cores")
    print(f"{conditions['postgresql']}; {conditions['redis']}")
    print(f"pinning: {conditions['pinning']}")
    print(f"one fsync of 4 KiB on {conditions['file_system']}: {conditions['fsync_ms']} ms")
    if conditions["quick"]:
        print("--quick: shows that the benchmark works; its numbers are not the product's")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=MEASURES, metavar="NAME", help=f"of: {', '.join(MEASURES)}"
    )
    parser.add_argument(
        "--runs", type=int, default=3, help="interleaved runs; the median counts (default: 3)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="short loads and small sizes: does it work?"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write everything there, with the conditions"
    )
    parser.add_argument(
        "--folder", type=Path, help="where the servers' data goes; a tmpfs would make fsync free"
    )
    return parser


if __name__ == "__main__":
    sys.exit(until_interrupted(main))
