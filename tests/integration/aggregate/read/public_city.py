"""A city that is counted and refreshed for real, and what it tells whoever has no key."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

import httpx

from services.aggregate.read.app import ReadApi
from services.aggregate.rolling.refresh import Cache, refresh
from services.aggregate.worker.context import WorkerContext
from shared.domain.release import POOL, STEP, BinKey
from shared.domain.tally import Tally
from shared.domain.window import Window, named_window, period, periods_of, public_windows
from shared.registry.snapshot import Registry
from shared.storage.released import bins
from tests.builders import stopped_clock
from tests.integration.aggregate.counting.counting import (
    Sent,
    apply,
    count,
    put,
    settings,
    worker_context,
)

REGISTRY = """
instansi: {code: uji, name: Kota Uji, timezone: Asia/Jakarta}
questionnaires:
  - code: singkat
    name: Singkat
    unsur:
      - {code: S1, key: a, name: A, question: "?", options: [a, b, c, d], weight: 3}
      - {code: S2, key: b, name: B, question: "?", options: [a, b, c, d]}
opd:
  - code: disdukcapil
    name: Disdukcapil
    layanan: [{code: ktp-el, name: KTP}, {code: kk, name: KK}]
  - code: dinkes
    name: Dinkes
    layanan: [{code: puskesmas, name: Puskesmas}, {code: lab, name: Lab, questionnaire: singkat}]
channels: [{name: loket, kind: api}]
"""
LAYANAN = {"disdukcapil": ("ktp-el", "kk"), "dinkes": ("puskesmas", "lab")}
NOT_PUBLIC = ("today", "7d", "30d", "90d", "365d")


class Figure(NamedTuple):
    """A tally that somebody can read off an answer: whose it is, and the days of its window."""

    opd: str | None
    layanan: str | None
    window: Window


@dataclass
class Observer:
    """Writes down every release step, by what differs between the tallies that are released."""

    released: dict[tuple[str, BinKey], Tally] = field(default_factory=dict)
    steps: list[tuple[str, BinKey, Tally]] = field(default_factory=list)

    def look(self, context: WorkerContext) -> int:
        """Note the steps since the last look, and return how many they were."""
        with context.engine.connect() as connection:
            stored = bins.read(connection)
        before = len(self.steps)
        for opd, bins_of_opd in stored.items():
            for key, stored_bin in bins_of_opd.items():
                nothing = Tally.zero(stored_bin.released.size)
                step = stored_bin.released - self.released.get((opd, key), nothing)
                if step != nothing:
                    assert step.n >= STEP, (opd, key, step)
                    self.steps.append((opd, key, step))
                self.released[opd, key] = stored_bin.released
        return len(self.steps) - before

    def sum_of(self, figure: Figure, registry: Registry) -> tuple[int, Mapping[str, list[int]]]:
        """The respondents of all steps that belong to a figure, and the scores by unsur."""
        n, scores = 0, dict[str, list[int]]()
        for opd, key, step in self.steps:
            if (
                figure.opd in {None, opd}
                and figure.layanan in {None, key.layanan}
                and figure.window.covers(period(key.period))
            ):
                n += step.n
                for index, unsur in enumerate(registry.questionnaires[key.questionnaire].unsur):
                    counts = step.counts[4 * index : 4 * index + 4]
                    so_far = scores.get(unsur.key, [0] * 4)
                    scores[unsur.key] = [a + b for a, b in zip(so_far, counts, strict=True)]
        return n, scores

    def sizes(self) -> Counter[str]:
        """The respondents of all steps, by layanan; those of pools under POOL."""
        sizes = Counter({POOL: 0})
        for _, key, step in self.steps:
            sizes[key.layanan] += step.n
        return sizes


@dataclass
class PublicCity:
    """One worker, one read API without a follower, and the time."""

    context: WorkerContext
    redis_url: str
    now: datetime
    cache: Cache = field(default_factory=Cache)
    api: ReadApi = field(init=False)

    def __post_init__(self) -> None:
        configured = settings(self.context.settings.need_database(), self.redis_url)
        self.api = ReadApi(configured, lambda: self.now)

    @property
    def today(self) -> date:
        """The local day."""
        return (self.now + timedelta(hours=7)).date()

    def counted(self, *items: Sent) -> None:
        """Let these be counted, and the figures be refreshed."""
        if items:
            put(self.redis_url, *items)
            count(self.context, self.now)
        self.refresh()

    def refresh(self) -> None:
        """Refresh, and let the read API hear of it."""
        registry = self.context.registry()
        refresh(self.context.engine, registry, stopped_clock(self.now), self.cache)
        with self.context.engine.connect() as connection:
            self.api.service._follower._load(connection)

    def ask(self, paths: Iterable[str], key: str | None = None) -> dict[str, httpx.Response]:
        """The answers to all of these."""
        headers = {} if key is None else {"authorization": f"Bearer {key}"}

        async def asked() -> dict[str, httpx.Response]:
            transport = httpx.ASGITransport(self.api, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://read") as client:
                return {path: await client.get(path, headers=headers) for path in paths}

        return asyncio.run(asked())

    def windows(self) -> list[Window]:
        """The public windows: those kept ready, and the periods of the last half year."""
        names = {window.name for window in public_windows(self.today)}
        for months in (1, 2, 4):
            names |= {past.name for past in periods_of(self.today - timedelta(days=30 * months))}
        return [named_window(name, self.today) for name in sorted(names)]


@contextmanager
def public_city(database_url: str, redis_url: str, now: datetime) -> Iterator[PublicCity]:
    """Hold the city."""
    with worker_context(database_url, redis_url, takeover_idle="0") as context:
        apply(context.engine, REGISTRY, now)
        city = PublicCity(context, redis_url, now)
        try:
            yield city
        finally:
            city.api.service.queries.close()
            city.api.service.engine.dispose()
