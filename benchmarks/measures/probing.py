"""Probes: single submissions for layanan of their own, timed from 202 until the API shows them."""

import asyncio
import json
import random
import time
from datetime import UTC, datetime
from http import HTTPStatus

from benchmarks.load.asking import Asker
from benchmarks.load.connection import request
from benchmarks.load.sample import PROBE_OPD, submission
from benchmarks.running.embedded import Embedded

PATIENCE_S = 60.0


class NotVisible(Exception):
    """A probe was acknowledged and did not become visible."""


class Probe:
    """One layanan of the probes' OPD; its respondents are exactly the probes sent to it."""

    def __init__(self, stack: Embedded, layanan: str, poll_s: float) -> None:
        self._stack = stack
        self._layanan = layanan
        self._poll_s = poll_s
        self._sent = 0
        self._asker = Asker(stack.address)
        path = f"/v1/opd/{PROBE_OPD}/ikm?window=all&layanan={layanan}"
        self._get = request("GET", path, {"authorization": f"Bearer {stack.key}"})

    async def send(self) -> float:
        """Send another probe; return the seconds from its 202 until an answer counts it."""
        if self._sent == 0:
            self._sent = await self._respondents()
        name = f"{self._layanan}-{self._sent}-{time.time_ns()}"
        document = submission(random.Random(name), name, datetime.now(UTC))
        answer = await self._asker.ask(
            self._stack.post({**document, "opd": PROBE_OPD, "layanan": self._layanan})
        )
        assert answer.status == HTTPStatus.ACCEPTED, answer.body
        self._sent += 1
        return await self._visible(answer.arrived_s) - answer.arrived_s

    def close(self) -> None:
        """Close the connection."""
        self._asker.close()

    async def _visible(self, since_s: float) -> float:
        while await self._respondents() < self._sent:
            if time.perf_counter() - since_s > PATIENCE_S:
                raise NotVisible(
                    f"{self._layanan}: {self._sent} sent, not all visible after {PATIENCE_S:.0f} s"
                )
            await asyncio.sleep(self._poll_s)
        return time.perf_counter()

    async def _respondents(self) -> int:
        answer = await self._asker.ask(self._get)
        assert answer.status == HTTPStatus.OK, answer.body
        return int(json.loads(answer.body)["respondents"])
