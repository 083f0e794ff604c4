"""What the documents say exists, and what exists (settings, commands, problems, …) is said."""

import ast
import re
from pathlib import Path

import pytest

from services.ingest.api.openapi import PATHS
from services.ingest.formats import FORMATS
from services.ingest.formats.format import Format
from services.ops.cli import COMMANDS
from shared.problems import KINDS
from shared.settings import VARIABLES, Settings, variable_of
from tests.guards.repository import ROOT, expect_none, files, imports, modules, name, syntax, text

OPERATIONS = ROOT / "docs" / "operations.md"
API = ROOT / "docs" / "api.md"
CHANNEL_GUIDE = ROOT / "docs" / "channels.md"
ADDRESSES = {
    "IKM_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
    "IKM_REDIS_URL": "redis://127.0.0.1:1/0",
}


def _documents() -> list[Path]:
    return [path for path in files() if path.suffix == ".md"]


def _said(document: Path) -> str:
    return text(document) if document.exists() else ""


def _unsaid(
    wanted: set[str], document: Path, pattern: str = r"(?<![\w/-]){}(?![\w-])"
) -> list[str]:
    return [
        word for word in wanted if not re.search(pattern.format(re.escape(word)), _said(document))
    ]


def test_every_setting_is_explained_to_operators() -> None:
    expect_none(_unsaid(set(VARIABLES), OPERATIONS), "not in docs/operations.md:")


def test_the_defaults_that_operators_read_are_those_of_the_settings() -> None:
    rows = dict(
        re.findall(r"^\| `(IKM_\w+)` \| (?:`([^`]*)`)? ?\|", text(OPERATIONS), re.MULTILINE)
    )
    defaults = {
        variable_of(name): str(field.default or "") for name, field in Settings.model_fields.items()
    }
    assert {variable: said.removeprefix("./") for variable, said in rows.items()} == defaults


def test_the_documents_name_only_settings_that_exist() -> None:
    named = {
        f"{name(path)}: {variable}"
        for path in _documents()
        for variable in re.findall(r"\bIKM_[A-Z_]+\b", text(path))
        if variable not in VARIABLES
    }
    expect_none(named, "nothing reads this:")


def test_every_command_is_explained_to_operators() -> None:
    expect_none(
        _unsaid({f"ikm {command}" for command in COMMANDS}, OPERATIONS),
        "not in docs/operations.md:",
    )


def test_the_documents_name_only_commands_that_exist() -> None:
    named = {
        f"{name(path)}: ikm {command}"
        for path in _documents()
        for command in re.findall(r"`(?:\.venv/bin/)?ikm ([a-z][a-z-]+)", text(path))
        if command not in COMMANDS
    }
    expect_none(named, "there is no such command:")


def test_every_path_of_the_service_is_explained_to_its_callers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from services.aggregate.read.app import create_app as create_read
    from services.ingest.app import create_app as create_ingest

    for variable, address in ADDRESSES.items():
        monkeypatch.setenv(variable, address)
    paths = {
        path
        for create in (create_ingest, create_read)
        for path in create(Settings.load()).api.openapi()["paths"]
    }
    expect_none(_unsaid(paths, API, r"{}(?![\w/-])"), "not in docs/api.md:")


def test_every_problem_is_explained_to_callers() -> None:
    expect_none(_unsaid(set(KINDS), API, "`{}`"), "not in docs/api.md:")


def test_every_problem_is_one_that_some_code_answers() -> None:
    named = {
        node.value
        for path in modules()
        if name(path) != "shared/problems.py"
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    expect_none(set(KINDS) - named, "no code answers with:")


def test_every_metric_is_explained_to_operators() -> None:
    metrics = {
        node.value
        for path in modules()
        if any(imported.startswith("prometheus_client") for _, imported in imports(path))
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"ikm_[a-z_]+", node.value)
    }
    assert metrics
    expect_none(_unsaid(metrics, OPERATIONS), "not in docs/operations.md:")


def test_every_format_is_in_the_openapi_document() -> None:
    assert set(PATHS) == set(FORMATS)


@pytest.mark.parametrize("wire_format", FORMATS.values(), ids=lambda wire_format: wire_format.name)
def test_every_format_has_its_heading_in_the_guide(wire_format: Format) -> None:
    headings = re.findall(r"^#+ .*$", _said(CHANNEL_GUIDE), re.MULTILINE)
    assert any(wire_format.path in heading for heading in headings)
