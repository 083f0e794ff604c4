"""docs/overview.md leads to code that exists: a submission's walk, and a newcomer's questions."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.guards.repository import ROOT, expect_none, files, name, syntax, text

OVERVIEW = ROOT / "docs" / "overview.md"
REFERENCE = re.compile(
    r"`(?P<path>(?:shared|services|tests|benchmarks)/[\w/]+\.py)(?::(?P<member>[\w.]+))?`"
)
QUESTIONS = 10


def _members(body: list[ast.stmt], before: str = "") -> Iterator[str]:
    """The qualified names of the functions, classes, methods and constants of a module."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield before + node.name
            if isinstance(node, ast.ClassDef):
                yield from _members(node.body, f"{before}{node.name}.")
        elif isinstance(node, ast.Assign):
            yield from (
                before + target.id for target in node.targets if isinstance(target, ast.Name)
            )
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield before + node.target.id


def _dead(document: Path) -> Iterator[str]:
    for reference in REFERENCE.finditer(text(document)):
        path, member = ROOT / reference["path"], reference["member"]
        if not path.exists() or (member and member not in set(_members(syntax(path).body))):
            yield f"{name(document)}: {reference[0]}"


def test_what_the_documents_name_of_the_code_exists() -> None:
    documents = [path for path in files() if path.suffix == ".md"]
    expect_none(
        (dead for document in documents for dead in _dead(document)), "there is no such code:"
    )


def test_a_newcomer_finds_the_answers() -> None:
    section = text(OVERVIEW).partition("## Ten questions")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ") and "?" in row]
    assert len(rows) >= QUESTIONS
    unanswered = (
        row for row in rows if not any(cited["member"] for cited in REFERENCE.finditer(row))
    )
    expect_none(unanswered, "an answer names a file and what to look at in it:")
