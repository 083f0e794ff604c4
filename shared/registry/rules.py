"""Why changes to the registry may not be made: what they would orphan, what they name in vain."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations

from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.domain.violation import Violation
from shared.registry.change import Change, Usage, applied
from shared.registry.kinds.settings import wrong_settings
from shared.registry.snapshot import Channel, Instansi, Layanan, Opd, Registry
from shared.registry.tickets import TICKET_KIND


def objections(current: Registry, changes: Sequence[Change], usage: Usage) -> list[Violation]:
    """Return every reason against these changes; a pointer is an entry's subject and field."""
    after = applied(current, changes)
    return [*_orphans(changes, usage), *_dangling(after)]


def _orphans(changes: Sequence[Change], usage: Usage) -> Iterator[Violation]:
    """Yield what would leave data without the entry that they belong to."""
    for change in changes:
        match change.before, change.after:
            case Instansi() as before, Instansi() as after:
                yield from _instansi(change.subject, before, after, usage)
            case Channel() as before, Channel() as after:
                yield from _channel(change.subject, before, after)
            case Questionnaire(), Questionnaire(code=code):
                yield from _questionnaire(change.subject, code, usage)
            case _, Opd() as opd:
                yield from _validity(change.subject, opd, usage.days_of(opd.code))
            case _, Layanan() as layanan:
                days = usage.days_of(change.opd_code, layanan.code)
                yield from _validity(change.subject, layanan, days)
            case _:
                pass


def _instansi(subject: str, before: Instansi, after: Instansi, usage: Usage) -> Iterator[Violation]:
    if after.code != before.code and usage.received:
        yield _in_use(
            f"{subject}.code",
            f"there are submissions of instansi {before.code}: its code stays; the name may change",
        )
    if after.timezone != before.timezone and usage.days:
        yield _in_use(
            f"{subject}.timezone",
            f"there are responses, and their local days are days of {before.timezone}: it stays",
        )


def _questionnaire(subject: str, code: str, usage: Usage) -> Iterator[Violation]:
    if code == SKM_2017.code:
        yield _in_use(subject, "is built in and cannot be changed: give yours another code")
    elif code in usage.questionnaires:
        yield _in_use(
            subject, "has been answered and cannot be changed: give the new version a new code"
        )


def _channel(subject: str, before: Channel, after: Channel) -> Iterator[Violation]:
    if before.kind != after.kind and TICKET_KIND in (before.kind, after.kind):
        yield _in_use(
            f"{subject}.kind",
            f"answers of kind {TICKET_KIND} are verified, and each ticket counts once: a channel"
            " neither becomes of this kind nor leaves it; name a new channel",
        )


def _validity(
    subject: str, temporal: Opd | Layanan, days: tuple[date, date] | None
) -> Iterator[Violation]:
    if days is None:
        return
    first, last = days
    if temporal.valid_from is not None and temporal.valid_from > first:
        yield _in_use(
            f"{subject}.valid_from",
            f"there are responses of {first}: it cannot begin later than that",
        )
    if temporal.valid_to is not None and temporal.valid_to < last:
        yield _in_use(
            f"{subject}.valid_to", f"there are responses of {last}: it cannot end earlier than that"
        )


def _in_use(pointer: str, detail: str) -> Violation:
    return Violation(pointer, "in-use", detail)


def _dangling(after: Registry) -> Iterator[Violation]:
    """Yield the names that stand for nothing."""
    if not after.instansi.code:
        yield Violation(
            "instansi", "required", "is missing: the first file that is applied must name it"
        )
    for opd in after.opd.values():
        yield from _successor(opd, after)
        for layanan in opd.layanan.values():
            yield from _questionnaire_of(layanan, opd, after)
    for channel in after.channels.values():
        for code in sorted((channel.opd or frozenset()) - after.opd.keys()):
            yield _no_opd(f"channel {channel.name}.opd", code)
        for violation in wrong_settings(channel):
            yield replace(violation, pointer=f"channel {channel.name}.settings{violation.pointer}")
    yield from _shared_tickets(after)


def _shared_tickets(after: Registry) -> Iterator[Violation]:
    """Yield what would let a ticket count twice: two channels, also closed ones, for an OPD."""
    tickets = [channel for channel in after.channels.values() if channel.kind == TICKET_KIND]
    for first, second in combinations(tickets, 2):
        if first.opd is None or second.opd is None or first.opd & second.opd:
            yield Violation(
                f"channel {second.name}.kind",
                "contradiction",
                f"the tickets of an OPD belong to one channel, and {first.name} has them",
            )


def _questionnaire_of(layanan: Layanan, opd: Opd, after: Registry) -> Iterator[Violation]:
    code = layanan.questionnaire
    if code is not None and code not in after.questionnaires:
        yield Violation(
            f"layanan {opd.code}/{layanan.code}.questionnaire",
            "unknown-questionnaire",
            f"{code!r} is not known; known: {', '.join(after.questionnaires)}",
        )


def _successor(opd: Opd, after: Registry) -> Iterator[Violation]:
    """Yield what is wrong with the successor: it and its own must exist and must not lead back."""
    pointer = f"opd {opd.code}.successor"
    followed = {opd.code}
    code = opd.successor
    while code is not None:
        if code not in after.opd:
            if code == opd.successor:  # further down the chain it is the fault of another OPD
                yield _no_opd(pointer, code)
            return
        if code in followed:
            if code == opd.code:
                yield Violation(pointer, "contradiction", "leads back to the OPD itself")
            return
        followed.add(code)
        code = after.opd[code].successor


def _no_opd(pointer: str, code: str) -> Violation:
    return Violation(pointer, "unknown-opd", f"there is no OPD {code!r}")
