"""Files of what is printed: a file that is the same already is left alone."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_FOR_ALL: Final = 0o644
_FOR_OWNER: Final = 0o600


def put(path: Path, content: bytes) -> bool:
    """Make a file hold this, whole or not at all; return False when it did already."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, content, _FOR_ALL)
    return True


def put_secret(path: Path, content: bytes) -> None:
    """Make a file that its owner alone may read: whoever has a code can answer with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, content, _FOR_OWNER)


def _write(path: Path, content: bytes, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
