"""The only reader of the environment: one frozen value that says how this process is configured."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.domain.errors import IkmError

STACK_FILE = "stack.json"


class ConfigurationError(IkmError):
    """The environment does not say enough, or says something that cannot be."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: what it means and what holds when it is not set."""

    default: str
    meaning: str


VARIABLES: Mapping[str, Variable] = {
    "IKM_HOME": Variable(
        "./.ikm",
        "folder of the embedded stack's state; other commands find the running stack there",
    ),
    "IKM_PORT": Variable("8000", "port of the HTTP service"),
    "IKM_DATABASE_URL": Variable(
        "", "PostgreSQL, e.g. postgresql+psycopg://user:secret@host/ikm; empty: embedded"
    ),
    "IKM_REDIS_URL": Variable("", "Redis >= 6.2, e.g. redis://host:6379/0; empty: embedded"),
    "IKM_REDIS_PREFIX": Variable("ikm:", "what every Redis key starts with"),
    "IKM_INBOX_LIMIT": Variable(
        "2000000", "submissions that may wait in the inbox; over it ingest answers 503"
    ),
    "IKM_INBOX_MEMORY": Variable(
        "0.9", "share of Redis' maxmemory that may be used before ingest answers 503"
    ),
    "IKM_ACCEPT_TIMEOUT": Variable(
        "0.8", "seconds after which an append that Redis has not confirmed is answered 503"
    ),
    "IKM_TAKEOVER_IDLE": Variable(
        "15", "seconds after which an unsettled claim of another worker is taken over"
    ),
    "IKM_REFRESH_INTERVAL": Variable(
        "0.2", "least seconds between two refreshes of the rolling tables"
    ),
    "IKM_LOG_LEVEL": Variable("INFO", "DEBUG, INFO, WARNING or ERROR"),
    "IKM_LOG_FORMAT": Variable("json", "json (one object a line) or text"),
    "IKM_DEBUG": Variable("", "anything: show tracebacks of the command line"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process is configured. Durations are seconds."""

    home: Path
    port: int
    database_url: str
    redis_url: str
    redis_prefix: str
    inbox_limit: int
    inbox_memory: float
    accept_timeout: float
    takeover_idle: float
    refresh_interval: float
    log_level: str
    log_format: str
    debug: bool

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment; addresses it leaves out come from the stack that runs in IKM_HOME."""

        def text(name: str) -> str:
            return environ.get(name, "") or VARIABLES[name].default

        home = Path(text("IKM_HOME"))
        stack = running_stack(home)
        return cls(
            home=home,
            port=int(
                _number(
                    "IKM_PORT",
                    environ.get("IKM_PORT") or str(stack.get("port", "")) or text("IKM_PORT"),
                )
            ),
            database_url=text("IKM_DATABASE_URL") or str(stack.get("database_url", "")),
            redis_url=text("IKM_REDIS_URL") or str(stack.get("redis_url", "")),
            redis_prefix=text("IKM_REDIS_PREFIX"),
            inbox_limit=int(_number("IKM_INBOX_LIMIT", text("IKM_INBOX_LIMIT"))),
            inbox_memory=_number("IKM_INBOX_MEMORY", text("IKM_INBOX_MEMORY")),
            accept_timeout=_number("IKM_ACCEPT_TIMEOUT", text("IKM_ACCEPT_TIMEOUT")),
            takeover_idle=_number("IKM_TAKEOVER_IDLE", text("IKM_TAKEOVER_IDLE")),
            refresh_interval=_number("IKM_REFRESH_INTERVAL", text("IKM_REFRESH_INTERVAL")),
            log_level=text("IKM_LOG_LEVEL").upper(),
            log_format=text("IKM_LOG_FORMAT"),
            debug=bool(environ.get("IKM_DEBUG")),
        )

    def need_database(self) -> str:
        """The PostgreSQL address, or a ConfigurationError that says how to give one."""
        return _needed(self.database_url, "PostgreSQL", "IKM_DATABASE_URL", self.home)

    def need_redis(self) -> str:
        """The Redis address, or a ConfigurationError that says how to give one."""
        return _needed(self.redis_url, "Redis", "IKM_REDIS_URL", self.home)


def running_stack(home: Path) -> Mapping[str, Any]:
    """What the embedded stack in `home` wrote about itself; empty when none has run there."""
    try:
        found = json.loads((home / STACK_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _needed(value: str, what: str, variable: str, home: Path) -> str:
    if not value:
        message = f"no {what} is known: start the stack (ikm up), set {variable}, or point IKM_HOME (now {home}) at it"
        raise ConfigurationError(message)
    return value


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"{name} must be a number, not {text!r}"
        raise ConfigurationError(message) from None
