"""What no file of the repository may contain."""

import re
import subprocess
from urllib.parse import unquote

from tests.guards.repository import ROOT, expect_none, files, lines, modules, name, text

THIS = "tests/guards/test_source.py"
# A folder of one person's or one machine's, or the host of a package index.
PRIVATE = re.compile(
    r"(?<![\w./:-])/(?:root|home|Users|workspaces?|work)/\w"
    r"|\b(?:pypi|pythonhosted|npmjs|npm)\.(?:org|com)\b|\bdeb\.debian\.org|\bindex-url\s*=",
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SUPPRESSION = re.compile(r"#\s*noqa\b(?P<codes>:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?(?P<reason>.*)")
SKIP = re.compile(r"pytest\.(skip|importorskip|xfail)\b|mark\.(skip|skipif|xfail)\b")
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
SECRET_FILES = {".pem", ".key", ".p12"}


def test_no_type_error_is_silenced_in_the_product() -> None:
    places = (
        place
        for path in modules()
        for place, line in lines(path)
        if re.search(r"#\s*type:\s*ignore", line)
    )
    expect_none(places, "mend the type instead:")


def test_nothing_is_left_for_later() -> None:
    prose = (
        path for path in files() if path.suffix not in {".lock", ".csv"} and name(path) != THIS
    )
    places = (place for path in prose for place, line in lines(path) if UNFINISHED.search(line))
    expect_none(places, "do it, or open an issue:")


def test_each_silenced_lint_names_its_rule_and_its_reason() -> None:
    bare = []
    for path in modules("services", "shared", "tests", "benchmarks"):
        before = ""
        for place, line in lines(path):
            noqa = SUPPRESSION.search(line) if name(path) != THIS else None
            reason = noqa and (re.search(r"\w{3}", noqa["reason"]) or re.search(r"# \w", before))
            if noqa and not (noqa["codes"] and reason):
                bare.append(place)
            before = line
    expect_none(
        bare,
        "a noqa has a rule and a reason, as in `# noqa: S606 (no shell is wanted)`,"
        " or a reason in the line above:",
    )


def test_no_file_names_a_private_path_or_a_package_index() -> None:
    prose = (path for path in files() if path.suffix != ".csv" and name(path) != THIS)
    places = (
        f"{place}: {line.strip()}"
        for path in prose
        for place, line in lines(path)
        if PRIVATE.search(line)
    )
    expect_none(places, "this is true on one machine only:")


def test_every_link_of_a_document_leads_to_a_file() -> None:
    dead = []
    for document in (path for path in files() if path.suffix == ".md"):
        for target in (link["target"] for link in LINK.finditer(text(document))):
            path = unquote(target.split("#")[0])
            if not path or re.match(r"[a-z]+:", target) or target.startswith("/"):
                continue
            aim = (document.parent / path).resolve()
            if not aim.is_relative_to(ROOT) or not aim.exists():
                dead.append(f"{name(document)}: {target}")
    expect_none(dead, "the link leads nowhere:")


def test_only_the_shared_fixtures_skip_a_test() -> None:
    # tests/conftest.py skips for a missing server or browser, and fails instead when CI is set.
    places = (
        place
        for path in modules("tests", "benchmarks")
        if name(path) not in {"tests/conftest.py", THIS}
        for place, line in lines(path)
        if SKIP.search(line)
    )
    expect_none(places, "a skip here would pass in CI:")


def test_no_committed_file_is_one_that_git_should_ignore() -> None:
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--ignored", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    expect_none(listing.stdout.splitlines(), "git rm --cached:")


def test_no_secret_is_in_the_repository() -> None:
    places = (name(path) for path in files() if path.name == ".env" or path.suffix in SECRET_FILES)
    expect_none(places, "a secret belongs into the environment:")
