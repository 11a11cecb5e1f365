"""Files that are written whole or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def atomic_write(path: str | os.PathLike[str], data: bytes | str) -> Path:
    """Write a file so that a reader, or a crash, sees the old bytes or the new ones and nothing between.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and take the name by one rename; the
    folder is made if it is missing. Text is UTF-8. What a killed writer left is taken over by the next writer of the
    file. Raises OSError, which names the file, where it cannot be written.
    """
    target = Path(path)
    passing = _passing(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(passing) as handle:
            try:
                with os.fdopen(handle, "wb", closefd=False) as file:
                    file.write(data.encode() if isinstance(data, str) else data)
                os.fsync(handle)
                os.fchmod(handle, _mode(target))
                passing.replace(target)
            except BaseException:
                passing.unlink(missing_ok=True)
                raise
        _sync_folder(target.parent)
    except OSError as error:
        error.filename = str(target)
        raise
    return target


def discard(path: str | os.PathLike[str]) -> None:
    """Remove a file where it is there, and what a killed writer of it left; nobody else may be writing it."""
    for file in (Path(path), _passing(Path(path))):
        file.unlink(missing_ok=True)


def _passing(target: Path) -> Path:
    """Name the temporary file of a target: one a target, so that none is left for ever."""
    return target.with_name(f".{target.name[:50]}.tmp")


@contextmanager
def _alone(passing: Path) -> Iterator[int]:
    """Open a temporary file, empty, and hold it alone: its lock is freed by the system when its holder dies.

    A writer that waited holds what the one before has renamed, and opens the name again.
    """
    while True:
        handle = os.open(passing, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _names(passing, handle):
                os.ftruncate(handle, 0)
                yield handle
                return
        finally:
            os.close(handle)


def _names(passing: Path, handle: int) -> bool:
    """Whether a name is still that of an open file."""
    try:
        return os.path.samestat(os.fstat(handle), passing.stat())
    except FileNotFoundError:
        return False


def _mode(target: Path) -> int:
    """Keep the mode of the file that is replaced; a new one gets what the process's mask allows."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, on systems where a folder can be opened."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
