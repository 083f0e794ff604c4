"""The flags that keep hints few: while one is up, a task of that kind is on its way or at work."""

HINT_TTL_MS = 2000  # a flag whose task died falls by itself


def drain_flag(prefix: str) -> str:
    """Return the key of the flag that is up while a `drain` is on its way or drains."""
    return f"{prefix}hint:drain"


def help_flag(prefix: str) -> str:
    """Return the key of the flag that is up after a busy `drain` asked for a second one."""
    return f"{prefix}hint:help"


def import_flag(prefix: str) -> str:
    """Return the key of the flag that is up while an `import` is on its way."""
    return f"{prefix}hint:import"


def refresh_flag(prefix: str) -> str:
    """Return the key of the flag that is up while a `refresh` is on its way."""
    return f"{prefix}hint:refresh"
