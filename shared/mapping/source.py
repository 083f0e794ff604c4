"""Where one member of a submission comes from: a field of the record, or a fixed value.

    comment: saran                                        a field
    opd: {value: disdukcapil}                             a fixed value
    answers.U1: {field: u1, values: {"Sangat sesuai": 4}} a field, and what its values mean

`otherwise` says what all other values mean; without it they are refused. A value that means null
says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from shared.domain.submission.rules import member
from shared.domain.violation import Violation
from shared.mapping.values import Convert, Unfit, folded

_MEMBERS: Final = frozenset({"field", "value", "values", "otherwise"})
_LISTED_MAX: Final = 12  # of the values that a refusal names
_REFUSED: Final = object()


@dataclass(frozen=True, slots=True)
class Source:
    """Reads one member of a submission from a record."""

    name: str  # of the field; empty for a fixed value
    convert: Convert
    value: object = None
    values: Mapping[str, object] | None = field(default=None, repr=False)
    otherwise: object = _REFUSED

    @classmethod
    def of(cls, settings: object, convert: Convert, more: frozenset[str] = frozenset()) -> Self:
        """Return the source that settings describe; Unfit says what is wrong with them.

        `more`: members that the caller reads itself.
        """
        if isinstance(settings, str) and settings.strip():
            return cls(settings, convert)
        if not isinstance(settings, Mapping):
            raise Unfit("type", "must be the name of a field, {field: …} or {value: …}")
        if strange := sorted(str(name) for name in settings.keys() - _MEMBERS - more):
            raise Unfit("unknown", f"knows no {', '.join(strange)}")
        if "value" in settings:
            if len(settings) > 1:
                raise Unfit("ambiguous", "a fixed value has nothing beside it")
            return cls("", convert, value=convert(settings["value"]))
        name = settings.get("field")
        if not isinstance(name, str) or not name.strip():
            raise Unfit("required", "needs field: the name of a field of the record")
        values = settings.get("values")
        table = None if values is None else _table(values, convert)
        otherwise = settings.get("otherwise", _REFUSED)
        if otherwise is not _REFUSED:
            if table is None:
                raise Unfit("ambiguous", "otherwise needs values beside it")
            otherwise = convert(otherwise)
        return cls(name, convert, values=table, otherwise=otherwise)

    @property
    def pointer(self) -> str:
        """The pointer to the field in the record; empty for a fixed value."""
        return member("", self.name) if self.name else ""

    def read(self, record: Mapping[str, object]) -> object:
        """Return what the record says, None when it says nothing; Unfit when it cannot be read."""
        if not self.name:
            return self.value
        value = record.get(self.name)
        if self.values is None:
            return self.convert(value)
        text = folded(value)
        if text is None:
            return None
        meaning = self.values.get(text, self.otherwise)
        if meaning is _REFUSED:
            listed = ", ".join([*self.values][:_LISTED_MAX])
            more = " …" if len(self.values) > _LISTED_MAX else ""
            raise Unfit("choice", f"must be one of {listed}{more}")
        return meaning

    def violation(self, unfit: Unfit) -> Violation:
        """Return the violation of the field."""
        return Violation(self.pointer, unfit.code, unfit.detail)


def _table(values: object, convert: Convert) -> Mapping[str, object]:
    if not isinstance(values, Mapping) or not values:
        raise Unfit("type", "values must say what each value means, and at least one")
    table: dict[str, object] = {}
    for value, meaning in values.items():
        if isinstance(value, bool):
            raise Unfit("type", f"write the value {value} as text, in quotes")
        text = folded(value)
        if text is None:
            raise Unfit("type", "an empty value always means that nothing was said")
        converted = convert(meaning)
        if table.setdefault(text, converted) != converted:
            raise Unfit("ambiguous", f"the value {text!r} has two meanings")
    return table
