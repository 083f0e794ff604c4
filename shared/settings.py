"""The only reader of the environment: one frozen value that says how this process is configured.

Each field is a variable, IKM_ and the field's name in capitals. The environment goes before what
the stack that runs in IKM_HOME says about itself, and that before the defaults.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.domain.errors import IkmError
from shared.domain.release import CLOSE_DAYS

STACK_FILE = "stack.json"
_DATABASES = ("database_url", "read_database_url", "migrate_database_url")
_TOLD_BY_THE_STACK = ("port", "redis_url", *_DATABASES)
WholeNumber = Annotated[int, BeforeValidator(float)]  # 2e6 is one too


class ConfigurationError(IkmError):
    """The environment does not say enough, or says something that cannot be."""


class Settings(BaseSettings):
    """How this process is configured. Durations are seconds; an empty variable is one not set."""

    model_config = SettingsConfigDict(env_prefix="IKM_", env_ignore_empty=True, frozen=True)

    home: Path = Field(
        Path("./.ikm"),
        description="folder of the embedded stack's state, where other commands find it",
    )
    host: str = Field(
        "127.0.0.1", description="address that `ikm up` listens on; 0.0.0.0: for phones, too"
    )
    port: WholeNumber = Field(8000, description="port of the HTTP service")
    database_url: str = Field(
        "",
        description="PostgreSQL, e.g. postgresql+psycopg://user:secret@host/ikm; empty: embedded",
    )
    read_database_url: str = Field(
        "", description="the same as the role of the read API; empty: IKM_DATABASE_URL"
    )
    migrate_database_url: str = Field(
        "", description="the same as the owner of the tables; empty: IKM_DATABASE_URL"
    )
    redis_url: str = Field(
        "", description="Redis >= 6.2, e.g. redis://host:6379/0; empty: embedded"
    )
    connections: Annotated[WholeNumber, Field(gt=0)] = Field(
        2000, description="HTTP connections that a process holds; a few more get 503 or a probe"
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="addresses and networks, by comma, whose X-Forwarded-For is believed",
    )
    redis_prefix: str = Field("ikm:", description="what every Redis key starts with")
    inbox_limit: WholeNumber = Field(
        2_000_000, description="submissions that may wait in the inbox; over it ingest answers 503"
    )
    inbox_memory: float = Field(
        0.9, description="share of Redis' maxmemory that may be used before ingest answers 503"
    )
    form_hourly: Annotated[WholeNumber, Field(gt=0)] = Field(
        1200,
        description="answers an hour that one address may send by the citizens' page, per process",
    )
    accept_timeout: float = Field(
        0.8,
        description="seconds after which an append that Redis has not confirmed is answered 503",
    )
    takeover_idle: float = Field(
        15, description="seconds after which an unsettled claim of another worker is taken over"
    )
    refresh_interval: float = Field(
        0.2, description="least seconds between two refreshes of the rolling tables"
    )
    retention_days: WholeNumber = Field(
        730,
        description="days after which comments and parked bodies are emptied; 0: never",
    )
    metrics: str = Field(
        "key", description="key: /metrics needs a key that may read all OPDs; open: it needs none"
    )
    close_days: Annotated[WholeNumber, Field(ge=1)] = Field(
        CLOSE_DAYS,
        description="days after a month until it is closed: what is left of it becomes public",
    )
    log_level: Annotated[str, StringConstraints(to_upper=True)] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: str = Field("json", description="json (one object a line) or text")
    debug: Annotated[bool, BeforeValidator(bool)] = Field(
        default=False, description="anything: show tracebacks of the command line"
    )

    @classmethod
    def load(cls, **values: object) -> Self:
        """Read the environment and the running stack. Values that are given go before both."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            wrong = error.errors()[0]  # all values are text, which only a number can refuse
            variable = variable_of(str(wrong["loc"][0]))
            number = "whole number" if wrong["type"].startswith("int") else "number"
            if wrong["type"] == "greater_than_equal":
                number = f"number, {wrong['ctx']['ge']} or more"
            raise ConfigurationError(
                f"{variable} must be a {number}, not {wrong['input']!r}"
            ) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (pydantic-settings' signature)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the same)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the running stack after the environment; files of variables are not read."""
        given = env_settings() | init_settings()
        home = given.get("home", cls.model_fields["home"].default)
        stack = running_stack(Path(home))
        told = {name: str(stack[name]) for name in _TOLD_BY_THE_STACK if stack.get(name)}
        if any(name in given for name in _DATABASES):  # of another server than the stack's
            told = {name: value for name, value in told.items() if name not in _DATABASES}
        return init_settings, env_settings, InitSettingsSource(settings_cls, told)

    @property
    def has_open_metrics(self) -> bool:
        """Whether /metrics answers without a key: for scrapers inside a closed network."""
        return self.metrics == "open"

    def need_database(self) -> str:
        """Return PostgreSQL's address, or raise a ConfigurationError that says how to give one."""
        return _needed(self.database_url, "PostgreSQL", "IKM_DATABASE_URL", self.home)

    def need_read_database(self) -> str:
        """Return PostgreSQL's address for the read API: its role may change nothing."""
        return self.read_database_url or self.need_database()

    def need_migrate_database(self) -> str:
        """Return PostgreSQL's address for migrations: the owner of the tables."""
        return self.migrate_database_url or self.need_database()

    def need_redis(self) -> str:
        """Return Redis' address, or raise a ConfigurationError that says how to give one."""
        return _needed(self.redis_url, "Redis", "IKM_REDIS_URL", self.home)


def variable_of(field: str) -> str:
    """Return the name of the environment variable that sets this field."""
    return f"IKM_{field.upper()}"


VARIABLES: Mapping[str, str] = {
    variable_of(name): field.description or "" for name, field in Settings.model_fields.items()
}


def running_stack(home: Path) -> Mapping[str, Any]:
    """Return what the embedded stack in `home` wrote about itself; nothing when none runs there."""
    try:
        document = json.loads(_own_text(home / STACK_FILE))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _own_text(path: Path) -> str:
    """Read a file, not what it leads to: whoever could write into the home decides nothing more."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags), encoding="utf-8") as file:
        return file.read()


def _needed(value: str, server: str, variable: str, home: Path) -> str:
    if not value:
        raise ConfigurationError(
            f"no {server} is known: start the stack (ikm up), set {variable}, "
            f"or point IKM_HOME (now {home}) at it"
        )
    return value
