"""What applying a registry file would change: pure, before anything is written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from shared.domain.questionnaire import Questionnaire
from shared.registry.file import Document
from shared.registry.snapshot import Channel, Instansi, Layanan, Opd, Registry, Temporal

Entry = Instansi | Questionnaire | Opd | Layanan | Channel
TemporalEntry = Opd | Layanan | Channel
Days = tuple[date, date]  # first and last, both included


class EntryKind(StrEnum):
    """What happens to an entry. Nothing is ever deleted."""

    ADD = "add"
    CHANGE = "change"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that differs. An Opd has no layanan in it: they have changes of their own."""

    kind: EntryKind
    subject: str  # "layanan disdukcapil/ktp-el"
    before: Entry | None
    after: Entry
    opd_code: str = ""  # of the OPD that it belongs to


@dataclass(frozen=True, slots=True)
class Usage:
    """What data there are that a change could orphan."""

    received: bool = False  # any submission, counted or parked
    days: Mapping[tuple[str, str], Days] = field(default_factory=dict)  # by OPD and layanan
    questionnaires: frozenset[str] = frozenset()  # answered ones

    def days_of(self, opd_code: str, layanan_code: str | None = None) -> Days | None:
        """The first and last local day with responses of an OPD, or of one of its layanan."""
        periods = [
            days
            for (opd, layanan), days in self.days.items()
            if opd == opd_code and layanan_code in (None, layanan)
        ]
        if not periods:
            return None
        return min(first for first, _ in periods), max(last for _, last in periods)


def difference(
    current: Registry, desired: Document, usage: Usage, today: date, *, prune: bool
) -> list[Change]:
    """Return what the file adds and changes; with `prune` also the closing of what it leaves out.

    What is pruned was valid until yesterday, so that it is closed at once; an OPD or layanan that
    has responses of later days is valid until the last of them, because a response must never lie
    outside the validity.
    """
    changes = list(_named(current, desired))
    if prune:
        changes.extend(_left_out(current, desired, usage, today - timedelta(days=1)))
    return [change for change in changes if change.before != change.after]


def applied(current: Registry, changes: Iterable[Change]) -> Registry:
    """Return the registry with the changes made; its version stays."""
    instansi, opds = current.instansi, dict(current.opd)
    channels, questionnaires = dict(current.channels), dict(current.questionnaires)
    for change in changes:
        match change.after:
            case Instansi() as changed:
                instansi = changed
            case Questionnaire() as questionnaire:
                questionnaires[questionnaire.code] = questionnaire
            case Channel() as channel:
                channels[channel.name] = channel
            case Opd() as opd:
                registered = opds.get(opd.code)
                opds[opd.code] = replace(opd, layanan=registered.layanan if registered else {})
            case Layanan() as layanan:
                opd = opds[change.opd_code]
                opds[opd.code] = replace(opd, layanan={**opd.layanan, layanan.code: layanan})
    return replace(
        current, instansi=instansi, opd=opds, channels=channels, questionnaires=questionnaires
    )


def _named(current: Registry, desired: Document) -> Iterator[Change]:
    """Yield a change for every entry that the file names, also where nothing differs."""
    if desired.instansi is not None:
        instansi = current.instansi if current.instansi.code else None
        yield _change(f"instansi {desired.instansi.code}", instansi, desired.instansi)
    for code, questionnaire in desired.questionnaires.items():
        yield _change(f"questionnaire {code}", current.questionnaires.get(code), questionnaire)
    for opd in desired.opd.values():
        yield from _named_opd(current.opd.get(opd.code), opd)
    for name, channel in desired.channels.items():
        yield _change(f"channel {name}", current.channels.get(name), channel)


def _named_opd(before: Opd | None, after: Opd) -> Iterator[Change]:
    alone = _without_layanan(before) if before else None
    yield _change(f"opd {after.code}", alone, _without_layanan(after), after.code)
    for code, layanan in after.layanan.items():
        registered = before.layanan.get(code) if before else None
        yield _change(f"layanan {after.code}/{code}", registered, layanan, after.code)


def _left_out(
    current: Registry, desired: Document, usage: Usage, yesterday: date
) -> Iterator[Change]:
    """Yield the closing of every entry that the file does not name."""

    def last_day(days: Days | None) -> date:
        return max(yesterday, days[1]) if days else yesterday

    for opd in current.opd.values():
        if opd.code not in desired.opd:
            closed_after = last_day(usage.days_of(opd.code))
            yield _closing(f"opd {opd.code}", _without_layanan(opd), closed_after, opd.code)
            continue
        for code, layanan in opd.layanan.items():
            if code not in desired.opd[opd.code].layanan:
                closed_after = last_day(usage.days_of(opd.code, code))
                yield _closing(f"layanan {opd.code}/{code}", layanan, closed_after, opd.code)
    for name, channel in current.channels.items():
        if name not in desired.channels:
            yield _closing(f"channel {name}", channel, yesterday)


def _without_layanan(opd: Opd) -> Opd:
    return replace(opd, layanan={})


def _closing(subject: str, entry: TemporalEntry, last_day: date, opd_code: str = "") -> Change:
    valid_to = last_day if entry.valid_to is None else min(last_day, entry.valid_to)
    return Change(EntryKind.CLOSE, subject, entry, replace(entry, valid_to=valid_to), opd_code)


def _change(subject: str, before: Entry | None, after: Entry, opd_code: str = "") -> Change:
    return Change(_kind(before, after), subject, before, after, opd_code)


def _kind(before: Entry | None, after: Entry) -> EntryKind:
    if before is None:
        return EntryKind.ADD
    old_end, new_end = _end(before), _end(after)
    if old_end == new_end:
        return EntryKind.CHANGE
    return EntryKind.CLOSE if new_end < old_end else EntryKind.REOPEN


def _end(entry: Entry) -> date:
    valid_to = entry.valid_to if isinstance(entry, Temporal) else None
    return valid_to or date.max
