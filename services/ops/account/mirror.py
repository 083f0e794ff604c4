"""A copy of a folder for another user's eyes: hard links where that is enough, else copies."""

import os
import shutil
import stat
from collections.abc import Collection
from pathlib import Path

_COMPILED = "__pycache__"  # may hold more than its source: never cleared, never wrong


def mirror(source: Path, target: Path, leave_out: Collection[str] = ()) -> None:
    """Bring `target` to what `source` holds, readable for everybody; leave names out at its top.

    What is the same already is not touched, so that repeating it costs a look at each file.
    """
    target.mkdir(exist_ok=True)
    target.chmod(0o755)
    names = set()
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name in leave_out:
                continue
            if entry.is_dir():
                if not _leads_back(entry):
                    names.add(entry.name)
                    mirror(Path(entry.path), target / entry.name)
            elif entry.is_file():
                names.add(entry.name)
                mirror_file(Path(entry.path), target / entry.name)
    for copy in list(target.iterdir()):
        if copy.name not in names | {_COMPILED}:
            _remove(copy)


def mirror_file(source: Path, target: Path) -> None:
    """Bring one file to what `source` is; a link becomes what it leads to."""
    source = Path(os.path.realpath(source))
    status = source.stat()
    if target.exists() and _is_same(status, target.lstat()):
        return
    fresh = target.with_name(f".{target.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        if not _is_open(status.st_mode):
            raise PermissionError
        os.link(source, fresh)
    except OSError:  # another file system, or closed to others
        shutil.copy2(source, fresh)
        fresh.chmod(0o755 if status.st_mode & stat.S_IXUSR else 0o644)
    fresh.replace(target)


def _is_same(source: os.stat_result, target: os.stat_result) -> bool:
    if (source.st_dev, source.st_ino) == (target.st_dev, target.st_ino):
        return _is_open(target.st_mode)
    same = (source.st_size, source.st_mtime_ns) == (target.st_size, target.st_mtime_ns)
    return same and _is_open(target.st_mode)


def _is_open(mode: int) -> bool:
    """Whether others may do what the owner may: read, and run what is a program."""
    return bool(mode & stat.S_IROTH) and bool(mode & stat.S_IXOTH) >= bool(mode & stat.S_IXUSR)


def _leads_back(entry: "os.DirEntry[str]") -> bool:
    """Whether a folder is a link to one that it lies in: following it would never end."""
    return entry.is_symlink() and Path(entry.path).is_relative_to(os.path.realpath(entry.path))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
