"""What applying a registry file would change, and why it may not be applied: pure, before anything is written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from shared.domain.questionnaire import Questionnaire
from shared.registry.file import Document
from shared.registry.snapshot import Channel, Instansi, Layanan, Opd, Registry

Entry = Instansi | Questionnaire | Opd | Layanan | Channel
Temporal = Opd | Layanan | Channel


class Kind(StrEnum):
    """What happens to an entry. Nothing is ever deleted."""

    ADD = "add"
    CHANGE = "change"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that differs. An Opd stands here without its layanan: they have changes of their own."""

    kind: Kind
    what: str  # "layanan disdukcapil/ktp-el"
    before: Entry | None
    after: Entry
    opd: str = ""  # the OPD that it belongs to


@dataclass(frozen=True, slots=True)
class Usage:
    """What data there are that a change could orphan."""

    received: bool = False  # any submission, counted or parked
    days: Mapping[tuple[str, str], tuple[date, date]] = field(
        default_factory=dict
    )  # OPD, layanan: first and last day
    questionnaires: frozenset[str] = frozenset()  # answered ones

    def of(self, opd: str, layanan: str | None = None) -> tuple[date, date] | None:
        """The first and last local day with responses of an OPD, or of one of its layanan."""
        found = [
            days
            for (unit, service), days in self.days.items()
            if unit == opd and layanan in (None, service)
        ]
        return (min(first for first, _ in found), max(last for _, last in found)) if found else None


def difference(
    current: Registry, desired: Document, usage: Usage, today: date, *, prune: bool
) -> list[Change]:
    """What the file adds and changes; with `prune` also what it closes: everything that it does not name.

    What is pruned was valid until yesterday, so that it is closed at once; an OPD or layanan that
    has responses of later days is valid until the last of them, because a response must never lie
    outside the validity.
    """
    changes = list(_named(current, desired))
    if prune:
        changes.extend(_unnamed(current, desired, usage, today - timedelta(days=1)))
    return [change for change in changes if change.before != change.after]


def applied(current: Registry, changes: Iterable[Change]) -> Registry:
    """The registry with the changes made; its version stays."""
    instansi, opd = current.instansi, dict(current.opd)
    channels, questionnaires = dict(current.channels), dict(current.questionnaires)
    for change in changes:
        match change.after:
            case Instansi() as entry:
                instansi = entry
            case Questionnaire() as entry:
                questionnaires[entry.code] = entry
            case Channel() as entry:
                channels[entry.name] = entry
            case Opd() as entry:
                known = opd.get(entry.code)
                opd[entry.code] = replace(entry, layanan=known.layanan if known else {})
            case Layanan() as entry:
                unit = opd[change.opd]
                opd[unit.code] = replace(unit, layanan={**unit.layanan, entry.code: entry})
    return replace(
        current, instansi=instansi, opd=opd, channels=channels, questionnaires=questionnaires
    )


def _named(current: Registry, desired: Document) -> Iterator[Change]:
    if desired.instansi is not None:
        known = current.instansi if current.instansi.code else None
        yield _change(f"instansi {desired.instansi.code}", known, desired.instansi)
    for code, questionnaire in desired.questionnaires.items():
        yield _change(f"questionnaire {code}", current.questionnaires.get(code), questionnaire)
    for code, opd in desired.opd.items():
        old = current.opd.get(code)
        yield _change(f"opd {code}", _alone(old) if old else None, _alone(opd), code)
        for service, layanan in opd.layanan.items():
            yield _change(
                f"layanan {code}/{service}",
                old.layanan.get(service) if old else None,
                layanan,
                code,
            )
    for name, channel in desired.channels.items():
        yield _change(f"channel {name}", current.channels.get(name), channel)


def _unnamed(
    current: Registry, desired: Document, usage: Usage, yesterday: date
) -> Iterator[Change]:
    def closed_by(days: tuple[date, date] | None) -> date:
        return max(yesterday, days[1]) if days else yesterday

    for code, opd in current.opd.items():
        if code not in desired.opd:
            yield _closed(f"opd {code}", _alone(opd), closed_by(usage.of(code)), code)
            continue
        for service, layanan in opd.layanan.items():
            if service not in desired.opd[code].layanan:
                yield _closed(
                    f"layanan {code}/{service}", layanan, closed_by(usage.of(code, service)), code
                )
    for name, channel in current.channels.items():
        if name not in desired.channels:
            yield _closed(f"channel {name}", channel, yesterday)


def _alone(opd: Opd) -> Opd:
    return replace(opd, layanan={})


def _closed(what: str, entry: Temporal, last: date, opd: str = "") -> Change:
    ends = last if entry.valid_to is None else min(last, entry.valid_to)
    return Change(Kind.CLOSE, what, entry, replace(entry, valid_to=ends), opd)


def _change(what: str, before: Entry | None, after: Entry, opd: str = "") -> Change:
    return Change(_kind(before, after), what, before, after, opd)


def _kind(before: Entry | None, after: Entry) -> Kind:
    if before is None:
        return Kind.ADD
    old, new = (getattr(entry, "valid_to", None) or date.max for entry in (before, after))
    if old == new:
        return Kind.CHANGE
    return Kind.CLOSE if new < old else Kind.REOPEN
