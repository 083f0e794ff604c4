"""From rows to submissions: each is carried over, judged as any other is, and given its id."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from services.aggregate.imports.identity import Occurrences, digest_of, source_ids
from services.aggregate.imports.reading.table import BadRow, Cells, Row, is_empty
from shared.domain.violation import Violation
from shared.mapping.field_mapping import FieldMapping, Submitted
from shared.mapping.source import Source
from shared.mapping.values import Unfit
from shared.registry.snapshot import Channel, Registry
from shared.storage.imports.holding import Refusal
from shared.wire import SubmissionDecoder

_REASONS_MAX: Final = 20  # of a row
# What differs from row to row. The rest is carried over once for all rows that say the same.
_VARYING: Final = ("id", "comment", "submitted_at", "replaces")
_REMEMBERED: Final = 50_000
_encode: Final = msgspec.json.Encoder().encode


class Converted(NamedTuple):
    """What rows became. The columns `ids` and `bodies` are of the good ones."""

    ids: list[str]
    bodies: list[bytes]
    refusals: list[Refusal]


@dataclass(slots=True)
class Converter:
    """Turns the rows of one file into submissions of a channel; `headings` name their cells."""

    headings: Sequence[str]
    mapping: FieldMapping
    completed: str | None  # the member without which an answer was broken off
    registry: Registry
    channel: Channel
    _occurrences: Occurrences = field(default_factory=Occurrences)
    _columns: dict[str, int] = field(init=False)
    _varying: list[tuple[str, Source, int]] = field(init=False)
    _steady: Callable[[Any], bytes | tuple[Violation, ...]] = field(init=False)
    _steady_key: Callable[[Cells], Any] = field(init=False)
    _pointers: Mapping[str, str] = field(init=False)
    _decoder: SubmissionDecoder = field(init=False)

    def __post_init__(self) -> None:
        """Tell the fields that differ from row to row from the others."""
        self._columns = {}
        for index, name in enumerate(self.headings):
            self._columns.setdefault(name, index)
        members = self.mapping.members
        self._varying = [
            (name, members[name], self._columns.get(members[name].name, -1))
            for name in _VARYING
            if name in members
        ]
        steady = FieldMapping(
            {name: source for name, source in members.items() if name not in _VARYING},
            self.mapping.respondent,
            self.mapping.answers,
        )
        sources = [*steady.members.values(), *steady.respondent.values(), *steady.answers.values()]
        names = sorted({source.name for source in sources if source.name in self._columns})
        self._steady_key = _picked([self._columns[name] for name in names])
        self._steady = lru_cache(_REMEMBERED)(_carried(steady, names))
        self._pointers = self.mapping.pointers
        self._decoder = SubmissionDecoder(self.registry)

    def pass_over(self, rows: Sequence[Row]) -> None:
        """Count rows that are done with: later ones may be equal to them."""
        self._occurrences.number([digest_of(cells) for _, cells in self._filled(rows)])

    def convert(self, rows: Sequence[Row]) -> Converted:
        """Return what the rows become; those that say nothing at all are left out."""
        filled = self._filled(rows)
        digests = [digest_of(cells) for _, cells in filled]
        ids = source_ids(digests, self._occurrences.number(digests)) if digests else []
        converted = Converted([], [], [self._unread(row) for row in rows if _is_bad(row)])
        for (line, cells), row_id in zip(filled, ids, strict=True):
            carried = self._submission(cells)
            if isinstance(carried, Submitted):
                converted.ids.append(carried.source_id or row_id)
                converted.bodies.append(carried.body)
            else:
                converted.refusals.append(Refusal(line, carried[:_REASONS_MAX]))
        return converted

    @staticmethod
    def _filled(rows: Sequence[Row]) -> list[tuple[int, Cells]]:
        return [
            (line, cells)
            for line, cells in rows
            if not isinstance(cells, BadRow) and not is_empty(cells)
        ]

    @staticmethod
    def _unread(row: Row) -> Refusal:
        code, detail = row.cells  # a BadRow
        return Refusal(row.line, [Violation("", str(code), str(detail))])

    def _submission(self, cells: Cells) -> Submitted | Sequence[Violation]:
        width = len(self.headings)
        if len(cells) > width and not is_empty(cells[width:]):
            detail = f"has {len(cells)} cells below {width} headings: is a delimiter not quoted?"
            return [Violation("", "columns", detail)]
        if len(cells) < width:
            cells = [*cells, *[""] * (width - len(cells))]
        faults: list[Violation] = []
        varying = self._read_varying(cells, faults)
        body = self._steady(self._steady_key(cells))
        if isinstance(body, tuple) or faults:
            return [*(body if isinstance(body, tuple) else ()), *faults]
        if self.completed is not None and self.completed not in varying:
            return [Violation("", "incomplete", "the answers were broken off: no time of the end")]
        if varying:
            body = b"%b,%b" % (body[:-1], _encode(varying)[1:])
        return self._judged(body, varying.get("id"))

    def _read_varying(self, cells: Cells, faults: list[Violation]) -> dict[str, object]:
        values = {}
        for name, source, column in self._varying:
            try:
                value = source.read({source.name: cells[column]} if column >= 0 else {})
            except Unfit as unfit:
                faults.append(source.violation(unfit))
                continue
            if value is not None:
                values[name] = value
        return values

    def _judged(self, body: bytes, source_id: object) -> Submitted | Sequence[Violation]:
        submission = self._decoder.decode(body)
        if isinstance(submission, list):
            return [
                Violation(
                    self._pointers.get(fault.pointer, fault.pointer), fault.code, fault.detail
                )
                for fault in submission
            ]
        if not self.channel.serves(submission.opd):
            pointer = self._pointers.get("/opd", "/opd")
            return [Violation(pointer, "forbidden-opd", "the channel may not send for this OPD")]
        return Submitted(body, source_id if isinstance(source_id, str) else None)


def _is_bad(row: Row) -> bool:
    return isinstance(row.cells, BadRow)


def _picked(columns: Sequence[int]) -> Callable[[Cells], Any]:
    """Return what picks the cells of these columns, as a tuple also when they are one or none."""
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda cells: tuple(cells[column] for column in columns)


def _carried(
    mapping: FieldMapping, names: Sequence[str]
) -> Callable[[Sequence[object]], bytes | tuple[Violation, ...]]:
    def carry(cells: Sequence[object]) -> bytes | tuple[Violation, ...]:
        submitted = mapping.submission(dict(zip(names, cells, strict=True)))
        return submitted.body if isinstance(submitted, Submitted) else tuple(submitted)

    return carry
