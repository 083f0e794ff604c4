"""What the guards of the deployment read: the compose file, its environment, proxy and image."""

import functools
import re
from typing import Any

import yaml

from tests.guards.repository import ROOT, text

COMPOSE = ROOT / "docker-compose.yml"
ENVIRONMENT = ROOT / ".env.example"
CADDYFILE = ROOT / "deploy" / "Caddyfile"
DOCKERFILE = ROOT / "Dockerfile"

Service = dict[str, Any]


@functools.cache
def compose() -> dict[str, Any]:
    """The compose file, anchors and merges resolved."""
    document: dict[str, Any] = yaml.safe_load(text(COMPOSE))
    return document


def services() -> dict[str, Service]:
    """All services by name."""
    by_name: dict[str, Service] = compose()["services"]
    return by_name


def own_services() -> dict[str, Service]:
    """The services that run our image."""
    return {name: service for name, service in services().items() if "build" in service}


def seconds(duration: str) -> int:
    """`75s` or `2m` as seconds."""
    parts = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", duration)
    assert parts, duration
    return 60 * int(parts[1] or 0) + int(parts[2] or 0)


def interpolations() -> list[tuple[str, str]]:
    """Every `${NAME…}` of the compose file: name and what follows it (`:?say so`, `:-default`)."""
    return re.findall(r"\$\{(\w+)([^}]*)\}", text(COMPOSE))


def example() -> dict[str, str]:
    """The variables of .env.example."""
    return dict(re.findall(r"^(\w+)=(.*)$", text(ENVIRONMENT), re.MULTILINE))
