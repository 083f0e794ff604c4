"""Answers from sums of day tallies: the index over any days, where no row is kept ready.

Their cost grows with days and services, not with responses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from services.aggregate.read.bodies import Index, OpdIndex
from services.aggregate.read.figures import index_bodies
from services.aggregate.read.snapshot import Snapshot
from services.aggregate.rolling.opd_figures import (
    Pool,
    parts,
    pool,
    scheme_of,
    summary_of,
    users_of,
)
from services.aggregate.rolling.rolling_rows import Content
from services.aggregate.rolling.rollup import instansi
from services.aggregate.rolling.summary import exact_index
from shared.domain.questionnaire import SKM_2017
from shared.domain.window import Window
from shared.registry.snapshot import Layanan, Opd, Registry
from shared.storage import lookups
from shared.storage.engine import transaction
from shared.storage.rolling import INSTANSI
from shared.storage.tallies import tally_sums
from shared.storage.tallies.tally_sums import Scope

PATIENCE_MS = 5000


@dataclass(frozen=True, slots=True)
class Tallies:
    """The day tallies, with the names and the local day to answer by."""

    engine: sa.Engine
    snapshot: Snapshot
    today: date

    @property
    def registry(self) -> Registry:
        """The registry to answer by."""
        return self.snapshot.registry

    @property
    def size(self) -> int:
        """The unsur of the largest questionnaire."""
        return max(one.size for one in self.registry.questionnaires.values())

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A short transaction."""
        with transaction(self.engine) as connection:
            lookups.limit_time(connection, PATIENCE_MS)
            yield connection

    def opd_index(self, opd: Opd, layanan: Layanan | None, window: Window) -> OpdIndex:
        """The index of one OPD, or of one of its layanan."""
        code = layanan.code if layanan is not None else None
        with self.reading() as connection:
            pools = self._pools(connection, [opd.code], Scope(window.first, window.last, code))
        pooled = pools.get(opd.code, {})
        if layanan is None:
            summary = summary_of(pooled, users_of(opd, self._day(window)), self.registry)
        else:
            empty = self.registry.questionnaire_for(opd.code, layanan.code, None) or SKM_2017
            summary = summary_of(pooled, layanan.users_per_year, self.registry, empty)
        changed_at = self.snapshot.changed_at(opd.code, code or "")
        return index_bodies.opd_index(
            self.registry, opd, layanan, Content(window, summary), changed_at
        )

    def index(self, window: Window) -> Index:
        """The instansi and all OPDs."""
        registry, day = self.registry, self._day(window)
        with self.reading() as connection:
            pools = self._pools(connection, list(registry.opd), Scope(window.first, window.last))
        contents = {
            opd.code: Content(
                window, summary_of(pools.get(opd.code, {}), users_of(opd, day), registry)
            )
            for opd in registry.opd.values()
        }
        indices = [
            exact_index(parts(pooled, registry), scheme_of(registry)) for pooled in pools.values()
        ]
        whole = Content(window, *instansi(list(pools.values()), indices, registry, day))
        return Index(
            index_bodies.period(window),
            index_bodies.instansi_index(registry, whole, self.snapshot.changed_at(INSTANSI, "")),
            [
                index_bodies.opd_line(
                    registry, opd, contents[opd.code], self.snapshot.changed_at(opd.code, "")
                )
                for opd in registry.opd.values()
                if index_bodies.is_listed(opd, window, contents[opd.code])
            ],
        )

    def _pools(self, connection: sa.Connection, opds: list[str], scope: Scope) -> dict[str, Pool]:
        vectors: dict[str, list[tuple[str, tally_sums.Vector]]] = {}
        for one in tally_sums.by_segment(connection, opds, self.size, scope=scope):
            vectors.setdefault(one.opd, []).append((one.questionnaire, one.vector))
        return {opd: pool(of_opd) for opd, of_opd in vectors.items()}

    def _day(self, window: Window) -> date:
        return self.today if window.last is None else min(window.last, self.today)
