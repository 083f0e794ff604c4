"""Everything that a person or CI needs is a make target with a line of help."""

import re
import subprocess

from tests.guards.repository import ROOT, text

EXPECTED = {
    "help",
    "run",
    "test",
    "check",
    "fmt",
    "bench",
    "chaos",
    "attack",
    "fuzz",
    "lock",
    "clean",
}
TARGET = re.compile(r"^(?P<name>[a-z]+):(?!=).*?(?:## (?P<help>.+))?$", re.MULTILINE)


def _targets() -> dict[str, str | None]:
    return {target["name"]: target["help"] for target in TARGET.finditer(text(ROOT / "Makefile"))}


def test_each_target_has_a_line_of_help() -> None:
    assert set(_targets()) == EXPECTED
    assert all(_targets().values())


def test_make_help_lists_every_target() -> None:
    shown = subprocess.run(
        ["make", "-s", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^  make (\w+)", shown, re.MULTILINE)) == EXPECTED


def test_each_target_is_phony() -> None:
    declared = re.search(r"^\.PHONY: (.+)$", text(ROOT / "Makefile"), re.MULTILINE)
    assert declared
    assert set(_targets()) <= set(declared[1].split())


def test_ci_runs_what_the_documents_tell_a_person_to_run() -> None:
    assert (
        text(ROOT / ".ci" / "run")
        .rstrip()
        .endswith("\nmake test\nmake chaos\nmake attack\nmake fuzz")
    )


def test_the_documents_name_only_targets_that_exist() -> None:
    documents = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    named = {
        (path.name, target)
        for path in documents
        if path.exists()
        for target in re.findall(r"(?:`|^\s*)make ([a-z]+)", text(path), re.MULTILINE)
    }
    assert not {pair for pair in named if pair[1] not in EXPECTED}
