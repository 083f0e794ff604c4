"""What the guards read: the files of the repository and the syntax of its Python modules."""

import ast
import functools
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("services", "shared")


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file that is or would be committed; all of the tree where git knows no folder."""
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    names = listing.stdout.split("\0") if listing.returncode == 0 else []
    paths = (ROOT / name for name in names if name) if names else _tree(ROOT)
    return tuple(sorted(path for path in paths if path.is_file()))


def _tree(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith((".venv", ".git", ".ikm", "__pycache__")):
            continue
        if path.is_dir():
            yield from _tree(path)
        else:
            yield path


@functools.cache
def text(path: Path) -> str:
    """The text of a file; empty for one that is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def name(path: Path) -> str:
    """The file as a person would write it: relative to the repository."""
    return path.relative_to(ROOT).as_posix()


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each line with the place to go to: ("shared/inbox/:12", "…")."""
    for number, line in enumerate(text(path).splitlines(), start=1):
        yield f"{name(path)}:{number}", line


@functools.cache
def modules(*folders: str) -> tuple[Path, ...]:
    """The Python files under these folders of the repository, or under both packages."""
    wanted = tuple(f"{folder}/" for folder in folders or PACKAGES)
    return tuple(path for path in files() if path.suffix == ".py" and name(path).startswith(wanted))


@functools.cache
def syntax(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text(path), filename=str(path))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """The line and dotted name of all that a module imports, at its top or inside a function."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def dotted(node: ast.AST) -> str:
    """`os.environ.get` for such an expression, an empty text for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def expect_none(places: Iterable[str], rule: str) -> None:
    """Fail with the rule and every place that breaks it."""
    broken = sorted(set(places))
    assert not broken, "\n  ".join((rule, *broken))
