"""Which server speaks Redis' protocol, and whether anybody still mends it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

# Below, nobody publishes corrections any more: neither the makers nor a distribution in support.
_OLDEST_MENDED: Final = {"redis": (7, 0), "valkey": (7, 2)}
# What a program says of itself: "Redis server v=7.0.15 sha=…", "Valkey server v=9.1.2 sha=…".
_PRINTED: Final = re.compile(r"(Redis|Valkey) server v=(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class StoreServer:
    """A Redis or a Valkey, by major and minor version; (0, 0) when it does not tell."""

    name: str
    version: tuple[int, int]

    @classmethod
    def of_program(cls, printed: str) -> Self:
        """Return what a program is, by what it prints for --version."""
        told = _PRINTED.search(printed)
        if told is None:
            return cls("redis", (0, 0))
        return cls(told[1].lower(), (int(told[2]), int(told[3])))

    @classmethod
    def of_info(cls, info: Mapping[str, object]) -> Self:
        """Return what a server is, by its answer to INFO.

        A Valkey also gives the version of Redis that it can stand in for.
        """
        name = "valkey" if "valkey_version" in info else "redis"
        major, minor, *_ = [*str(info.get(f"{name}_version", "")).split("."), "", ""]
        return cls(name, (_number(major), _number(minor)))

    @property
    def is_outdated(self) -> bool:
        """Tell whether it is a version that gets no corrections."""
        return (0, 0) < self.version < _OLDEST_MENDED[self.name]

    def __str__(self) -> str:
        return f"{self.name} {self.version[0]}.{self.version[1]}"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
