"""The folders that runs and teachers are kept in: writable, and each in the hands of one process at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tasks.errors import InputError


def check_writable(home: Path) -> None:
    """Try to make a file, which no other process knows, in a folder or in what there is of its path; it is not made.

    Raises InputError where that fails.
    """
    there = next(path for path in (home.absolute(), *home.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(f"home={home}: cannot be written ({error.strerror}); choose another folder") from error


@contextmanager
def held(folder: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a folder, which the operating system frees when its holder dies.

    ``wait`` is called once where another process holds it, before it is waited for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
