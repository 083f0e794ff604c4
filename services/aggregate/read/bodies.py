"""The JSON bodies of the read API: what is sent, and what the OpenAPI document says.

Each lists its own fields, those of a Summary too: in the order in which they are sent.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from services.aggregate.read.view import View
from services.aggregate.rolling.rollup import Mean, Pooled
from services.aggregate.rolling.summary import Sample, UnsurFigure
from shared.domain.violation import Violation


class Period(msgspec.Struct, frozen=True):
    """Local days, both included; null: open on that side. `name` as it was asked for."""

    name: str
    first: date | None = msgspec.field(name="from")
    last: date | None = msgspec.field(name="to")


class OpdIndex(msgspec.Struct, frozen=True):
    """The index of one OPD, or of one of its layanan; null without respondents, never 0.

    `updated_at` is of the internal view, `released_at` of the public one. `withheld`: figures, all
    of them or those of a few respondents, are left out.
    """

    opd: str
    name: str
    layanan: str | None
    layanan_name: str | None
    window: Period
    view: View
    respondents: int | None
    ikm: Decimal | None
    mutu: str | None
    kinerja: str | None
    ci95: tuple[Decimal, Decimal] | None
    scheme: str
    unsur: tuple[UnsurFigure, ...]
    comparison: dict[str, Decimal | None]
    sample: Sample
    updated_at: datetime | None
    released_at: datetime | None
    withheld: bool
    verified: bool | msgspec.UnsetType = msgspec.UNSET  # only where it was asked for


class OpdLine(msgspec.Struct, frozen=True):
    """One OPD in the list of all."""

    code: str
    name: str
    respondents: int | None
    ikm: Decimal | None
    mutu: str | None
    kinerja: str | None
    ci95: tuple[Decimal, Decimal] | None
    updated_at: datetime | None
    released_at: datetime | None
    withheld: bool


class InstansiIndex(msgspec.Struct, frozen=True):
    """The index of the whole instansi.

    `ikm` is that of the primary roll-up; `ci95` is null where that is the mean.
    """

    code: str
    name: str
    respondents: int | None
    primary: str
    ikm: Decimal | None
    mutu: str | None
    kinerja: str | None
    ci95: tuple[Decimal, Decimal] | None
    scheme: str
    pooled: Pooled
    mean: Mean
    sample: Sample
    updated_at: datetime | None
    released_at: datetime | None
    withheld: bool


class Index(msgspec.Struct, frozen=True):
    """The instansi and its OPDs under one window."""

    window: Period
    view: View
    instansi: InstansiIndex
    opd: list[OpdLine]


class TrendPoint(msgspec.Struct, frozen=True):
    """One step of a trend; local days, both included."""

    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    respondents: int | None
    ikm: Decimal | None
    mutu: str | None
    withheld: bool


class Trend(msgspec.Struct, frozen=True):
    """How the index of an OPD, or of one of its layanan, moved.

    The series is empty when a side was left open and nobody was counted at all.
    """

    opd: str
    name: str
    layanan: str | None
    step: str
    scheme: str
    view: View
    released_at: datetime | None
    series: list[TrendPoint]


class BreakdownCell(msgspec.Struct, frozen=True):
    """The respondents of one value; `value` null: they did not say. Withheld: numbers are null."""

    value: str | None
    label: str
    respondents: int | None
    ikm: Decimal | None
    mutu: str | None
    withheld: bool


class Breakdown(msgspec.Struct, frozen=True):
    """The index by the profile of the respondents, by layanan or by channel.

    Of an OPD; `opd` is null for the instansi.
    """

    opd: str | None
    name: str
    by: str
    window: Period
    scheme: str
    view: View
    released_at: datetime | None
    withheld: bool
    cells: list[BreakdownCell]


class ReceiptStatus(msgspec.Struct, frozen=True):
    """What became of a submission: counted, or parked for a reason until the registry is mended.

    `received_on` is a local day: the time would tell more than its sender needs.
    """

    receipt: str
    status: str
    reason: str | None
    received_on: date


class ImportStatus(msgspec.Struct, frozen=True):
    """How far a file is: receiving, waiting, running, done, failed or cancelled.

    `progress` is 0 to 1, by what is read of the file; `rows` counts those that are done with, blank
    ones too. `assumed` says how the file was understood, `reason` and `detail` why it failed.
    """

    id: str
    status: str
    channel: str
    dry_run: bool
    progress: float
    rows: int
    accepted: int
    refused: int
    bytes: int
    created_at: datetime
    finished_at: datetime | None
    reason: str | None
    detail: str | None
    assumed: dict[str, Any]
    report: str


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that was refused: the line on which it begins, and every reason."""

    line: int
    violations: list[Violation]


class ImportReport(msgspec.Struct, frozen=True):
    """The rows of a file that were refused, in the order of their lines."""

    refused: list[RefusedRow]


class Liveness(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str


class Readiness(msgspec.Struct, frozen=True):
    """Whether figures can be served. `database` false: the last known ones are."""

    ready: bool
    reason: str | None
    database: bool
    registry: int | None
    as_of: date | None


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    judul: str
    status: int
    code: str
    detail: str = ""
    errors: list[Violation] = []
