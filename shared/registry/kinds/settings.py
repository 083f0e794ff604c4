"""What the settings of a channel may hold: its kind says."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from shared.domain.violation import Violation
from shared.registry.kinds import chats
from shared.registry.snapshot import Channel

# Yields what is wrong with the settings of a channel of a kind; pointers are paths in them.
Check = Callable[[Mapping[str, Any]], Iterable[Violation]]

# By kind. A channel of any other kind has no settings.
CHECKS: Final[Mapping[str, Check]] = {
    "whatsapp": chats.WHATSAPP,
    "telegram": chats.TELEGRAM,
    "sms": chats.SMS,
}


def wrong_settings(channel: Channel) -> Iterable[Violation]:
    """Yield what is wrong with the settings of a channel."""
    check = CHECKS.get(channel.kind)
    if check is not None:
        yield from check(channel.settings)
    elif channel.settings:
        yield Violation("", "unknown-field", f"a channel of kind {channel.kind!r} has no settings")
