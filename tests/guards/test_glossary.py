"""docs/glossary.md is the list of our words: what it names exists, and what exists is named."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from shared.storage.tables import metadata
from tests.guards.repository import ROOT, expect_none, modules, syntax, text

GLOSSARY = ROOT / "docs" / "glossary.md"
CODE = re.compile(r"`([^`]+)`")


class Line(NamedTuple):
    """A line of the glossary: a word in both languages, its meaning, and what carries it."""

    indonesian: str
    english: str
    meaning: str
    names: tuple[str, ...]


def _lines() -> Iterator[Line]:
    for row in text(GLOSSARY).splitlines():
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        if row.startswith("| ") and len(cells) == len(Line._fields):
            if cells[0] == "Istilah":
                continue
            indonesian, english, meaning, names = cells
            yield Line(indonesian, english, meaning, tuple(CODE.findall(names)))


def _packages() -> set[str]:
    return {path.parent.name for path in modules()}


def _module_names() -> set[str]:
    return {path.stem for path in modules() if path.stem != "__init__"}


def _classes() -> Counter[str]:
    return Counter(
        node.name
        for path in modules()
        for node in syntax(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )


def _nouns_of_the_code() -> set[str]:
    """What needs a word: tables, packages, public classes."""
    return set(metadata.tables) | _packages() | _classes().keys()


def test_each_name_of_the_glossary_exists_in_the_code() -> None:
    named = {name for line in _lines() for name in line.names}
    assert named
    expect_none(
        named - _nouns_of_the_code() - _module_names(),
        "no table, package, module or class has this name:",
    )


def test_each_noun_of_the_code_is_in_the_glossary() -> None:
    named = {name for line in _lines() for name in line.names}
    expect_none(_nouns_of_the_code() - named, "give it its line in docs/glossary.md:")


def test_each_word_has_both_languages_and_a_meaning() -> None:
    lines = list(_lines())
    bare = (
        line.english for line in lines if not (line.indonesian and line.english and line.meaning)
    )
    expect_none(bare, "a line has the word in Indonesian and English, and what it means:")


def test_each_word_stands_once() -> None:
    words = Counter(line.english for line in _lines())
    expect_none((word for word, times in words.items() if times > 1), "two meanings for one word:")
    names = Counter(name for line in _lines() for name in line.names)
    expect_none((name for name, times in names.items() if times > 1), "one thing under two words:")


def test_each_public_class_has_a_name_of_its_own() -> None:
    shared_names = (name for name, times in _classes().items() if times > 1)
    expect_none(shared_names, "two classes have this name, and a reader cannot tell them apart:")
