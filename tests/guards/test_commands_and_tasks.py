"""The command's table and Celery's tables hold together, and a command costs only what it needs."""

import subprocess
import sys

import click
import pytest

from services.ops.cli import COMMANDS, cli
from shared.broker import QUEUES, ROUTES
from tests.guards.repository import ROOT

HEAVY = {
    "pandas",
    "numpy",
    "fastapi",
    "pydantic",
    "celery",
    "sqlalchemy",
    "alembic",
    "httpx",
    "rich",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_table_exists_and_says_what_it_does(command: str) -> None:
    loaded = cli.get_command(click.Context(cli), command)
    assert isinstance(loaded, click.Command)
    assert loaded.help


def test_starting_the_command_loads_nothing_heavy() -> None:
    # `ikm --help` loads every command's module.
    program = """
import sys, click
from services.ops.cli import COMMANDS, cli
for command in COMMANDS:
    cli.get_command(click.Context(cli), command)
print(*sys.modules)
"""
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(shown.stdout.split())


def test_every_task_goes_to_a_declared_queue_and_every_queue_has_a_task() -> None:
    assert {route["queue"] for route in ROUTES.values()} == set(QUEUES)


def test_every_task_is_routed_and_every_schedule_names_a_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IKM_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("IKM_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    from services.aggregate.worker.celery_app import SCHEDULE, app

    own = {task for task in app.tasks if not task.startswith("celery.")}
    assert own == set(ROUTES)
    assert {entry["task"] for entry in SCHEDULE.values()} <= own
