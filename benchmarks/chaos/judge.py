"""The judgement after the storm: every acknowledged submission counted or parked exactly once.

And the tally and the index of every OPD and layanan are what the model says.
"""

import json
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import httpx
import psycopg

from benchmarks.chaos.city import City
from benchmarks.chaos.model import ALL, Expected, Place, expected_of
from benchmarks.chaos.onlooker import path_of
from benchmarks.chaos.storm import Storm
from benchmarks.chaos.submissions import LAYANAN, Memory, is_to_be_parked

SETTLE_PATIENCE_S = 180.0
SHOWN_PATIENCE_S = 30.0
STATES = "SELECT receipt::text, source_id, state FROM receipt WHERE source_id ~ '^chaos-'"
TALLIES = """
SELECT opd, layanan, sum(n)::int8, sum(total)::int8, sum(total_sq)::int8,
  ARRAY(
    SELECT sum(counted)::int8
    FROM day_tally AS part, unnest(part.counts) WITH ORDINALITY AS counts (counted, place)
    WHERE (part.opd, part.layanan, part.facet) = (tally.opd, tally.layanan, 'all')
    GROUP BY place ORDER BY place)
FROM day_tally AS tally WHERE opd = ANY(%s) AND facet = 'all' GROUP BY opd, layanan
"""


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


def judge(city: City, passed: Storm) -> list[str]:
    """Return what is wrong: nothing when every promise held."""
    states: dict[str, str] = {}
    counted: list[str] = []
    with psycopg.connect(city.database_url) as connection:
        for receipt, source_id, state in connection.execute(STATES):
            states[receipt] = state
            if state == "counted":
                counted.append(source_id)
        tallies = {
            (opd, layanan): (n, total, total_sq, tuple(counts))
            for opd, layanan, n, total, total_sq, counts in connection.execute(
                TALLIES, (list(LAYANAN),)
            )
        }
    memory = passed.memory
    # What was acknowledged; of what never was answered that which the ledger says was counted.
    due = {source_id for source_id in memory.acknowledged if not is_to_be_parked(source_id)}
    expected = expected_of(due | (memory.unanswered & set(counted)))
    return [
        *_faults(memory, states),
        *_wrong_tallies(expected, tallies),
        *_wrong_figures(city, expected),
        *passed.onlooker.faults(expected),
        *_findings(city),
    ]


def _faults(memory: Memory, states: Mapping[str, str]) -> Iterator[str]:
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


def _due_state(source_id: str) -> str:
    return "parked" if is_to_be_parked(source_id) else "counted"


def _wrong_tallies(
    expected: Mapping[Place, Expected], tallies: Mapping[Place, tuple[object, ...]]
) -> Iterator[str]:
    due = {place: tally.numbers for place, tally in expected.items() if place[1] != ALL}
    for place in sorted(due.keys() | tallies.keys()):
        if due.get(place) != tallies.get(place):
            yield f"{'/'.join(place)}: due {due.get(place)}, the tallies say {tallies.get(place)}"


def _wrong_figures(city: City, expected: Mapping[Place, Expected]) -> Iterator[str]:
    """Yield the places whose figure, shown to a key that may read, is not that of the model."""
    headers = {"authorization": f"Bearer {city.key}"}
    deadline = time.monotonic() + SHOWN_PATIENCE_S
    with httpx.Client(base_url=city.url, headers=headers, trust_env=False) as client:
        for place, tally in sorted(expected.items()):
            due = (tally.respondents, tally.ikm)
            while (shown := _shown(client, place)) != due and time.monotonic() < deadline:
                time.sleep(0.5)
            if shown != due:
                yield f"{'/'.join(place)}: due {due}, shown {shown}"


def _shown(client: httpx.Client, place: Place) -> tuple[int, Decimal | None] | str:
    answer = client.get(path_of(place))
    if answer.status_code != httpx.codes.OK:
        return f"{answer.status_code} {answer.text[:200]}"
    body: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
    ikm = body["ikm"]
    return body["respondents"], None if ikm is None else Decimal(ikm)


def _findings(city: City) -> Iterator[str]:
    verified = city.command("verify")
    if verified.returncode:
        yield f"ikm verify found something:\n{verified.stdout}{verified.stderr}"
