"""What the settings of channels of chats may hold: names and addresses, as text."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from shared.domain.violation import Violation

_TEXT_MAX: Final = 200


def texts(
    *names: str, required: tuple[str, ...] = ()
) -> Callable[[Mapping[str, Any]], Iterator[Violation]]:
    """Return a check of settings that are texts of these names."""

    def check(settings: Mapping[str, Any]) -> Iterator[Violation]:
        for name, value in settings.items():
            if name not in names:
                yield Violation(f"/{name}", "unknown-field", f"settings are {', '.join(names)}")
            elif not isinstance(value, str) or not 0 < len(value) <= _TEXT_MAX:
                detail = f"must be text of 1 to {_TEXT_MAX} characters"
                yield Violation(f"/{name}", "type", detail)
            elif name == "api" and not value.startswith(("https://", "http://")):
                yield Violation("/api", "format", "must be an address: https://…")
        for name in required:
            if name not in settings:
                yield Violation(f"/{name}", "required", "is required")

    return check


WHATSAPP: Final = texts("phone_number_id", "api", required=("phone_number_id",))
TELEGRAM: Final = texts("api")
SMS: Final = texts("from", "text", "id", "time", "reply")
