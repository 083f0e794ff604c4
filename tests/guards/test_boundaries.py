"""Who may know what, where import-linter cannot say it; each exception is named with its reason."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.guards.repository import dotted, expect_none, imports, lines, modules, name, syntax

THE_ENVIRONMENT = {"os.environ", "os.getenv", "pydantic_settings.BaseSettings"}
KNOW_THE_ENVIRONMENT = {
    "shared/settings.py": "the one reader",
    "services/ops/account/running.py": "asks as an account, in the environment that it would have",
    "services/ops/account/handover.py": "goes on as an account, in the same environment",
    "services/ops/stack/child.py": "hands the stack's environment on to its processes",
    "services/ops/commands/run.py": "sets REMAP_SIGTERM, which Celery reads when it is imported",
    "services/ops/stack/stack.py": "the same for the commands that the stack runs",
    "services/ops/commands/up.py": "its --home is IKM_HOME for everything it starts",
}
KNOW_SQL = {
    "services/ops/stack/servers.py": "makes the database that it then connects to",
}
# What storage hands out and raises; to make a statement takes more than these.
NAMES_OF_SQLALCHEMY = re.compile(r"^sqlalchemy\.(Connection|Engine|(engine|exc)(\.\w+)?)$")
STREAM_COMMANDS = re.compile(
    r"\b(xadd|xreadgroup|xautoclaim|xackdel|xack|xdel|xgroup_\w+|xpending\w*)\b", re.IGNORECASE
)
SQL = re.compile(
    r"\b(SELECT\b.+\bFROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|TRUNCATE TABLE"
    r"|(CREATE|DROP) TABLE)\b"
)


def _environment_readers() -> Iterator[str]:
    for path in modules():
        read = any(dotted(node) in THE_ENVIRONMENT for node in ast.walk(syntax(path)))
        if read or any(imported in THE_ENVIRONMENT for _, imported in imports(path)):
            yield name(path)


def test_only_the_settings_read_the_environment() -> None:
    assert set(_environment_readers()) == set(KNOW_THE_ENVIRONMENT)


def _code_that_matches(pattern: re.Pattern[str], *, outside: str) -> Iterator[tuple[str, str]]:
    for path in modules():
        if not name(path).startswith(outside):
            for place, line in lines(path):
                if pattern.search(line.split("# ")[0]):
                    yield name(path), place


def test_only_the_inbox_knows_the_commands_of_the_stream() -> None:
    matches = _code_that_matches(STREAM_COMMANDS, outside="shared/inbox")
    expect_none((place for _, place in matches), "the stream is shared/inbox/'s alone:")


def test_only_the_storage_writes_sql() -> None:
    matches = list(_code_that_matches(SQL, outside="shared/storage/"))
    expect_none(
        (place for path, place in matches if path not in KNOW_SQL),
        "SQL belongs into shared/storage:",
    )
    assert {path for path, _ in matches} == set(KNOW_SQL)


def _names_of_sqlalchemy(path: Path) -> Iterator[tuple[int, str]]:
    aliases = {
        alias.asname or alias.name
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "sqlalchemy"
    }
    for node in ast.walk(syntax(path)):
        alias, _, rest = dotted(node).partition(".")
        if rest and alias in aliases and isinstance(node, ast.Attribute):
            yield node.lineno, f"sqlalchemy.{rest}"
    for line, imported in imports(path):
        if imported.startswith("sqlalchemy."):
            yield line, imported


def test_only_the_storage_makes_statements() -> None:
    places = (
        f"{name(path)}:{line} uses {used}"
        for path in modules()
        if not name(path).startswith("shared/storage/")
        for line, used in _names_of_sqlalchemy(path)
        if not NAMES_OF_SQLALCHEMY.match(used)
    )
    expect_none(places, "statements belong into shared/storage:")
