"""The house stays small: rooms of few modules, modules of few screens, names that say something."""

import ast
from collections import Counter

from tests.guards.repository import ROOT, expect_none, modules, name, syntax, text

MOST_MODULES = 12  # of a package, its __init__ not counted
MOST_LINES = 250
LONGEST_LINE = 100
LARGE_PACKAGES = {  # package -> why it may be larger
    "services/ops/commands": "a module for each command, of its name",
    "shared/storage/migrations/versions": "a list that only grows; nobody looks for a place in it",
}
LONG_MODULES: dict[str, str] = {}  # module -> why it may be longer

# Pronouns, participles, prepositions: whoever reads one of them asks what it stands for.
SAYING_NOTHING = {
    "one", "ones", "found", "known", "these", "those", "this", "that", "at", "here", "there", "it",
    "its", "ours", "them", "they", "thing", "things", "stuff",
}  # fmt: skip


def test_a_package_has_few_modules() -> None:
    sizes = Counter(name(path.parent) for path in modules() if path.name != "__init__.py")
    large = {package for package, size in sizes.items() if size > MOST_MODULES}
    expect_none(large - LARGE_PACKAGES.keys(), f"more than {MOST_MODULES} modules: make rooms")
    expect_none(LARGE_PACKAGES.keys() - large, "no exception is needed any more:")


def test_a_module_has_few_lines() -> None:
    long = {name(path) for path in modules() if len(text(path).splitlines()) > MOST_LINES}
    expect_none(long - LONG_MODULES.keys(), f"longer than {MOST_LINES} lines: split it")
    expect_none(LONG_MODULES.keys() - long, "no exception is needed any more:")


def test_each_package_says_what_happens_in_it() -> None:
    folders = {path.parent for path in modules()}
    silent = (
        name(folder)
        for folder in folders
        if not (folder / "__init__.py").exists()
        or not ast.get_docstring(syntax(folder / "__init__.py"))
    )
    expect_none(silent, "a package has a docstring:")


def _bound_name(node: ast.AST) -> str | None:
    """The name that a piece of syntax gives to something, if it does."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return name
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name
        case ast.MatchAs() | ast.MatchStar() | ast.ExceptHandler():
            return node.name
        case ast.arg():
            return node.arg
        case ast.alias():
            return node.asname
    return None


def test_a_name_says_what_it_stands_for() -> None:
    empty = (
        f"{name(path)}: {bound}"
        for path in modules()
        for node in ast.walk(syntax(path))
        if (bound := _bound_name(node)) and bound.strip("_").lower() in SAYING_NOTHING
    )
    expect_none(empty, "what is it? name it so:")


def test_no_line_is_wider_than_a_half_screen() -> None:
    wide = (
        f"{name(path)}:{number}"
        for path in modules("services", "shared", "tests", "benchmarks")
        for number, line in enumerate(text(path).splitlines(), start=1)
        if len(line) > LONGEST_LINE
    )
    expect_none(wide, f"more than {LONGEST_LINE} characters:")


def test_the_tests_mirror_the_tree() -> None:
    rings = [ROOT / "tests" / ring for ring in ("unit", "integration")]
    folders = {path.parent.relative_to(ring) for ring in rings for path in ring.rglob("test_*.py")}
    strange = (
        str(folder)
        for folder in folders
        if not (ROOT / "services" / folder).is_dir() and not (ROOT / folder).is_dir()
    )
    expect_none(strange, "no such folder in services/ or shared/:")
