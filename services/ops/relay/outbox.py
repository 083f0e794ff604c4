"""A folder in which submissions wait: a file each, `NAME.json`, oldest first.

A file goes only after the service has answered for it; what the service will never take is moved to
`refused/` with the reason beside it. So a process that dies at any point has lost nothing: at worst
a submission is sent again, under the same id.
"""

import fcntl
import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from services.ops.errors import InUse

REFUSED: Final = "refused"
SUFFIX: Final = ".json"
SUBMISSION_MAX_BYTES: Final = 1024 * 1024
UNFINISHED_S: Final = 10.0  # a file that is no JSON may still be being written for so long


class Outbox:
    """The waiting submissions of one folder; only one process delivers them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / REFUSED).mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise InUse(f"another relay delivers from {folder}") from None

    def close(self) -> None:
        """Let another process deliver."""
        os.close(self._lock)

    def waiting(self) -> list[Path]:
        """Return the files that wait, the oldest first."""
        ages = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                is_submission = entry.name.endswith(SUFFIX) and not entry.name.startswith(".")
                if is_submission and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        age_ns = entry.stat(follow_symlinks=False).st_mtime_ns
                        ages.append((age_ns, entry.name))
        return [self.folder / name for _, name in sorted(ages)]

    def keep(self, body: bytes, source_id: str) -> Path:
        """Write a submission; when this returns it is on disk. The same one again is one file."""
        digest = hashlib.sha256(source_id.encode() + b"\0" + body).hexdigest()
        path = self.folder / f"{digest[:40]}{SUFFIX}"
        if path.exists():
            return path
        unfinished = self.folder / f".{path.name}.{time.monotonic_ns()}"
        with unfinished.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _sync(self.folder)
        return path

    def delivered(self, path: Path) -> None:
        """Forget a submission that the service has."""
        path.unlink(missing_ok=True)

    def refuse(self, path: Path, reason: str) -> None:
        """Move a submission aside that the service will never take, with its reason."""
        aside = self.folder / REFUSED
        (aside / f"{path.stem}.reason.txt").write_text(f"{reason}\n", encoding="utf-8")
        path.replace(aside / path.name)
        _sync(aside)


def content_of(path: Path) -> bytes | str | None:
    """Return the submission in a file, with the file's name as id where it has none.

    Text: why it is none. None: it is gone, or may still be being written.
    """
    try:
        state = path.stat()
        if state.st_size > SUBMISSION_MAX_BYTES:
            return f"one submission may have 1 MiB, this file has {state.st_size:,} bytes"
        body = path.read_bytes()
    except FileNotFoundError:
        return None
    is_finished = time.time() - state.st_mtime >= UNFINISHED_S
    try:
        return _named(body, path.stem)
    except (ValueError, RecursionError) as error:
        return f"not a JSON document: {error}" if is_finished else None


def _named(body: bytes, name: str) -> bytes | str:
    """Return a submission with an id: its own, or this name."""
    document = json.loads(body)
    if not isinstance(document, dict):
        return "must be one JSON object: one submission a file"
    if document.get("id") is not None:
        return body
    return json.dumps({**document, "id": name}).encode()


def _sync(folder: Path) -> None:
    """Make the names in a folder outlive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
