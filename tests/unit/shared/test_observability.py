"""Logs: one JSON object a line, or text for a person; what the call named is in both."""

import json
import logging

import pytest

from shared.observability import JsonLines, Text


@pytest.fixture
def record() -> logging.LogRecord:
    error = ValueError("no")
    exc_info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("ikm", logging.WARNING, "x.py", 1, "%d é", (3,), exc_info)
    record.created = 1_777_777_777.25
    record.opd = "dinas"
    record.taskName = "Task-1"
    return record


def test_a_line_names_time_level_logger_message_extras_and_exception(
    record: logging.LogRecord,
) -> None:
    line = json.loads(JsonLines().format(record))
    assert line.pop("exception") == "ValueError: no"
    assert line == {
        "time": "2026-05-03T03:09:37.250+00:00",
        "level": "warning",
        "logger": "ikm",
        "message": "3 é",
        "opd": "dinas",
    }


def test_text_has_the_extras_behind_the_message(record: logging.LogRecord) -> None:
    record.exc_info = None
    assert Text("%(levelname)s %(message)s").format(record) == "WARNING 3 é opd=dinas"
