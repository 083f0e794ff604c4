"""The judgement after the storm: every acknowledged submission counted or parked exactly once."""

import json
import time
from collections.abc import Iterator, Mapping

import psycopg

from benchmarks.chaos.city import City
from benchmarks.chaos.submissions import OPD, Memory, is_to_be_parked

SETTLE_PATIENCE_S = 180.0
STATES = "SELECT receipt::text, state FROM receipt WHERE source_id ~ '^chaos-'"
TALLIED = "SELECT coalesce(sum(n), 0) FROM day_tally WHERE opd = %s AND facet = 'all'"


class NotSettled(Exception):
    """The inbox does not become empty."""


def await_settled(city: City) -> None:
    """Wait until the inbox is empty."""
    deadline = time.monotonic() + SETTLE_PATIENCE_S
    while True:
        status = city.command("status", "--json")
        try:
            waiting = json.loads(status.stdout)["inbox"]["waiting"]
        except (ValueError, KeyError, TypeError):
            waiting = None
        if waiting == 0:
            return
        if time.monotonic() > deadline:
            raise NotSettled(f"{status.stdout}{status.stderr}")
        time.sleep(1)


def judge(city: City, memory: Memory) -> list[str]:
    """Return what is wrong: nothing when every promise held."""
    with psycopg.connect(city.database_url) as connection:
        states = {str(receipt): str(state) for receipt, state in connection.execute(STATES)}
        row = connection.execute(TALLIED, (OPD,)).fetchone()
    tallied = int(row[0]) if row is not None else None
    return [*_faults(memory, states, tallied), *_findings(city)]


def _faults(memory: Memory, states: Mapping[str, str], tallied: int | None) -> Iterator[str]:
    acknowledged = memory.acknowledged.items()
    lost = [source_id for source_id, receipt in acknowledged if receipt not in states]
    if lost:
        yield f"{len(lost)} acknowledged submissions are lost, e.g. {lost[:3]}"
    wrong = [
        source_id
        for source_id, receipt in acknowledged
        if receipt in states and states[receipt] != _due_state(source_id)
    ]
    if wrong:
        yield f"{len(wrong)} submissions are in the wrong state, e.g. {wrong[:3]}"
    sent = len(memory.acknowledged) + len(memory.unanswered)
    if len(states) > sent:
        yield f"{len(states)} receipts, but only {sent} were ever sent"
    counted = sum(state == "counted" for state in states.values())
    if tallied != counted:
        yield f"{counted} counted, but the tallies say {tallied}"


def _due_state(source_id: str) -> str:
    return "parked" if is_to_be_parked(source_id) else "counted"


def _findings(city: City) -> Iterator[str]:
    verified = city.command("verify")
    if verified.returncode:
        yield f"ikm verify found something:\n{verified.stdout}{verified.stderr}"
