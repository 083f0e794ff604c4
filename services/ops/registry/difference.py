"""The difference that `ikm apply` shows: + added, ~ changed or reopened, - closed."""

from dataclasses import fields

from shared.domain.questionnaire import Unsur
from shared.registry.change import Change, Entry, EntryKind
from shared.registry.snapshot import Channel

_SIGNS = {EntryKind.ADD: "+", EntryKind.CHANGE: "~", EntryKind.REOPEN: "~", EntryKind.CLOSE: "-"}
_ABSENT = {"opd": "all"}
_NOT_SHOWN = frozenset({"layanan", "secrets"})  # the one has changes of its own


def describe(change: Change) -> str:
    """Put one change into words: the fields of a new entry, or each field that differs."""
    details = (
        _given(change.after) if change.before is None else _different(change.before, change.after)
    )
    return f"{_SIGNS[change.kind]} {change.subject}  {', '.join(details)}"


def _given(entry: Entry) -> list[str]:
    identity = "name" if isinstance(entry, Channel) else "code"
    values = {name: getattr(entry, name) for name in _names(entry) if name != identity}
    return [
        f"{name}: {_text(name, value)}"
        for name, value in values.items()
        if value not in (None, False, {}) or name in _ABSENT
    ]


def _different(before: Entry, after: Entry) -> list[str]:
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in _names(after)]
    return [
        _arrow(name, _text(name, old), _text(name, new)) for name, old, new in pairs if old != new
    ]


def _names(entry: Entry) -> list[str]:
    return [field.name for field in fields(entry) if field.name not in _NOT_SHOWN]


def _arrow(name: str, old: str, new: str) -> str:
    return (
        f"{name}: {old} → {new}"
        if old != new
        else f"{name}: {new} (text, options or weights differ)"
    )


def _text(name: str, value: object) -> str:
    match value:
        case None:
            return _ABSENT.get(name, "-")
        case bool():
            return "yes" if value else "no"
        case frozenset():
            return f"[{', '.join(sorted(value))}]"
        case tuple():
            return f"[{', '.join(unsur.code for unsur in value if isinstance(unsur, Unsur))}]"
        case _:
            return str(value)
