import ast
import sys
from pathlib import Path

import pytest

from shared import domain

MODULES = sorted(Path(domain.__path__[0]).glob("*.py"))
# The clock, the machine, the network: the domain asks none of them.
OUTSIDE = {
    "os",
    "io",
    "pathlib",
    "socket",
    "time",
    "random",
    "secrets",
    "subprocess",
    "threading",
    "asyncio",
    "zoneinfo",
}


def imported(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_domain_imports_only_itself_and_the_standard_library(module: Path) -> None:
    foreign = {name for name in imported(module) if not name.startswith("shared.domain")}
    assert {name.partition(".")[0] for name in foreign} <= sys.stdlib_module_names - OUTSIDE


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_domain_reads_no_clock_and_opens_no_file(module: Path) -> None:
    source = module.read_text(encoding="utf-8")
    for call in (".now(", ".today(", ".utcnow(", "open(", "uuid1(", "uuid4("):
        assert call not in source
