"""Why changes to the registry may not be made: what they would orphan, and what they name that does not exist."""

from collections.abc import Iterator, Sequence
from datetime import date

from shared.domain.questionnaire import SKM_2017, Questionnaire
from shared.registry.change import Change, Usage, applied
from shared.registry.snapshot import Instansi, Layanan, Opd, Registry
from shared.registry.strict_yaml import Fault


def objections(current: Registry, changes: Sequence[Change], usage: Usage) -> list[Fault]:
    """Every reason against making these changes; the path of a fault is the entry and the field."""
    after = applied(current, changes)
    return [*_orphans(changes, usage), *_dangling(after)]


def _orphans(changes: Sequence[Change], usage: Usage) -> Iterator[Fault]:
    for change in changes:
        match change.before, change.after:
            case Instansi() as old, Instansi() as new:
                yield from _instansi(change.what, old, new, usage)
            case Questionnaire(code=code), Questionnaire():
                yield from _questionnaire(change.what, code, usage)
            case _, Opd(code=code) as entry:
                yield from _validity(change.what, entry, usage.of(code))
            case _, Layanan(code=code) as entry:
                yield from _validity(change.what, entry, usage.of(change.opd, code))
            case _:
                pass


def _instansi(what: str, old: Instansi, new: Instansi, usage: Usage) -> Iterator[Fault]:
    if new.code != old.code and usage.received:
        yield Fault(
            f"{what}.code",
            f"there are submissions of instansi {old.code}: its code stays; the name may change",
        )
    if new.timezone != old.timezone and usage.days:
        yield Fault(
            f"{what}.timezone",
            f"there are responses, and their local days are days of {old.timezone}: it stays",
        )


def _questionnaire(what: str, code: str, usage: Usage) -> Iterator[Fault]:
    if code == SKM_2017.code:
        yield Fault(what, "is built in and cannot be changed: give yours another code")
    elif code in usage.questionnaires:
        yield Fault(
            what, "has been answered and cannot be changed: give the new version a new code"
        )


def _validity(what: str, entry: Opd | Layanan, days: tuple[date, date] | None) -> Iterator[Fault]:
    if days is None:
        return
    first, last = days
    if entry.valid_from is not None and entry.valid_from > first:
        yield Fault(
            f"{what}.valid_from", f"there are responses of {first}: it cannot begin later than that"
        )
    if entry.valid_to is not None and entry.valid_to < last:
        yield Fault(
            f"{what}.valid_to", f"there are responses of {last}: it cannot end earlier than that"
        )


def _dangling(after: Registry) -> Iterator[Fault]:
    if not after.instansi.code:
        yield Fault("instansi", "is missing: the first file that is applied must name it")
    for opd in after.opd.values():
        yield from _successor(opd, after)
        for layanan in opd.layanan.values():
            if (
                layanan.questionnaire is not None
                and layanan.questionnaire not in after.questionnaires
            ):
                what = f"layanan {opd.code}/{layanan.code}.questionnaire"
                yield Fault(
                    what,
                    f"{layanan.questionnaire!r} is not known; known: {', '.join(after.questionnaires)}",
                )
    for channel in after.channels.values():
        for code in sorted((channel.opd or frozenset()) - after.opd.keys()):
            yield Fault(f"channel {channel.name}.opd", f"there is no OPD {code!r}")


def _successor(opd: Opd, after: Registry) -> Iterator[Fault]:
    """The successor, its successor and so on must exist and must not lead back."""
    followed = {opd.code}
    code = opd.successor
    while code is not None:
        if code not in after.opd:
            if code == opd.successor:  # further down the chain it is the fault of another OPD
                yield Fault(f"opd {opd.code}.successor", f"there is no OPD {code!r}")
            return
        if code in followed:
            if code == opd.code:
                yield Fault(f"opd {opd.code}.successor", "leads back to the OPD itself")
            return
        followed.add(code)
        code = after.opd[code].successor
