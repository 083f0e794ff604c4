"""The walk of docs/overview.md is walked: one submission from its POST to the page.

The steps that the document names are compared with the functions that are really called.
"""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType, FrameType

from services.aggregate.read.app import ReadApi
from services.aggregate.worker.drain import drain
from services.aggregate.worker.refreshing import refresh_now
from shared.registry.publication import publish
from shared.storage.engine import opened, transaction
from shared.storage.registry import access_keys
from tests.builders import KEY, stopped_clock
from tests.integration.access import stored_key
from tests.integration.aggregate.counting.counting import apply, settings, worker_context
from tests.integration.aggregate.read.read_service import Read, eventually
from tests.integration.ingest.ingest_service import PREFIX, accepted, serving

ROOT = Path(__file__).resolve().parents[2]
UPDATE = ("services/aggregate/read/snapshot.py", "CurrentSnapshot.update")
NOW = datetime(2026, 5, 4, 3, 0, tzinfo=UTC)
STEP = re.compile(r"^\| `(?P<path>[\w/]+\.py):(?P<member>[\w.]+)` \|", re.MULTILINE)


class Footprints:
    """The functions of the product in the order of their first call, in whatever thread."""

    def __init__(self) -> None:
        self.codes: dict[CodeType, None] = {}

    def note(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            self.codes.setdefault(frame.f_code)

    def steps(self) -> list[tuple[str, str]]:
        calls = [(code.co_filename.removeprefix(f"{ROOT}/"), code) for code in list(self.codes)]
        return [
            (path, code.co_qualname)
            for path, code in calls
            if path.startswith(("services/", "shared/"))
        ]


def steps_of_the_overview() -> list[tuple[str, str]]:
    """The functions that the document names, in its order."""
    overview = (ROOT / "docs" / "overview.md").read_text(encoding="utf-8")
    section = overview.partition("## The walk")[2].partition("\n## ")[0]
    return [(step["path"], step["member"]) for step in STEP.finditer(section)]


def forget_what_was_worked_out() -> None:
    """Empty the caches of functions: a function whose value is remembered is not called."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("services.", "shared.")):
            for member in vars(module).values():
                if hasattr(member, "cache_clear"):
                    member.cache_clear()


@contextmanager
def footprints() -> Iterator[Footprints]:
    """Note what is called in this thread, and in those that are started meanwhile."""
    steps = Footprints()
    threading.setprofile(steps.note)
    sys.setprofile(steps.note)
    try:
        yield steps
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def test_a_submission_walks_as_the_overview_says(database_url: str, redis_url: str) -> None:
    with (
        opened(database_url) as engine,
        worker_context(database_url, redis_url, redis_prefix=PREFIX) as context,
        footprints() as steps,
    ):
        apply(engine)
        with transaction(engine) as connection:
            access_keys.store(connection, KEY, stored_key("uji", "loket", NOW, reads=True))
        publish(context.redis, PREFIX, context.registry())
        read = Read(ReadApi(settings(database_url, redis_url), lambda: NOW), KEY)
        read.app.service.start()
        with serving(redis_url) as client:
            eventually(lambda: client.get("/readyz").is_success)
            eventually(lambda: read.get("/readyz").is_success)
            forget_what_was_worked_out()
            steps.codes.clear()
            assert accepted(client, "satu")
        assert drain(context, stopped_clock(NOW)) == 1
        assert refresh_now(context, stopped_clock(NOW)) == 2
        # Not asked before the update: that answer would be made of the old snapshot.
        eventually(
            lambda: (
                UPDATE in steps.steps()
                and read.get("/v1/ikm").json()["instansi"]["respondents"] == 1
            )
        )
        assert "Disdukcapil" in read.get("/").text
        read.app.service.stop()
    walked = steps.steps()
    told = steps_of_the_overview()
    assert [step for step in told if step not in walked] == []
    order = [walked.index(step) for step in told]
    assert order == sorted(order), "the overview tells them in another order"
