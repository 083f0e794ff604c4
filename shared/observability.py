"""Logs: one JSON object a line, with the fields that the call named; or plain text for a person."""

import json
import logging
import sys
from datetime import UTC, datetime

from shared.settings import Settings

# color_message: uvicorn's second form of the same message. data: Celery's copy of the whole task.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
    "data",
}
# Two lines for every task, several tasks a second: only what goes wrong is news.
_CHATTY = ("celery.worker.strategy", "celery.app.trace", "celery.beat")


class JsonLines(logging.Formatter):
    """A record as one JSON object: time, level, logger, message, and every extra field."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _extras(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class Text(logging.Formatter):
    """A record as a line for people, the extra fields behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        extras = [f"{name}={value}" for name, value in _extras(record).items()]
        return " ".join([super().format(record), *extras])


def configure(settings: Settings) -> None:
    """Send all logs of this process to standard error, in the configured form.

    Repeating it changes nothing.
    """
    handler = logging.StreamHandler(sys.stderr)
    text = Text("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(text if settings.log_format == "text" else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    if root.level > logging.DEBUG:
        for name in _CHATTY:
            logging.getLogger(name).setLevel(max(root.level, logging.WARNING))


def _extras(record: logging.LogRecord) -> dict[str, object]:
    """Return the fields that the call named itself."""
    return {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
