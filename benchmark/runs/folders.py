"""The folders that runs and teachers are kept in: writable, and each in the hands of one process at a time."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from tasks.errors import InputError

LOCK, ALIVE = ".lock", ".alive"  # what is locked; who holds it, touched while that process lives
BEAT = 30.0  # seconds between two touches
SILENT = 300.0  # seconds without any after which the holder's node is taken for dead
POLL = 1.0  # seconds between two looks at a lock that another process holds


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

    A file server may keep the lock of a node that died; it is taken over once that node was silent for ``SILENT``
    seconds, by the waiter's own clock. ``wait`` is called once where another process holds it, before it is waited for.
    """
    lock = _acquired(folder)
    if lock is None:
        wait()
        lock = _waited_for(folder)
    with _holding(folder, lock):
        yield


@contextmanager
def held_now(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder unless another process does; say whether it is held."""
    lock = _acquired(folder)
    if lock is None:
        yield False
        return
    with _holding(folder, lock):
        yield True


def _acquired(folder: Path, seconds: float = 0.0) -> BaseFileLock | None:
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        return None
    return lock


def _waited_for(folder: Path) -> BaseFileLock:
    sign, since = _sign(folder), time.monotonic()
    while (lock := _acquired(folder, POLL)) is None:
        if (now := _sign(folder)) != sign:
            sign, since = now, time.monotonic()
        elif time.monotonic() - since >= SILENT and _holder(folder) != socket.gethostname():
            (folder / LOCK).unlink(missing_ok=True)  # the lock of the dead stays with the file that had the name
            since = time.monotonic()
    return lock


@contextmanager
def _holding(folder: Path, lock: BaseFileLock) -> Iterator[None]:
    """Show signs of life beside a lock that is held, then release it."""
    over, alive = threading.Event(), folder / ALIVE
    try:
        with suppress(OSError):  # a full disk is for what is written next to tell
            alive.write_text(f"{socket.gethostname()} {os.getpid()}\n")
        beating = threading.Thread(target=_beat, args=(alive, over), daemon=True)
        beating.start()
        try:
            yield
        finally:
            over.set()
            beating.join()
            alive.unlink(missing_ok=True)
    finally:
        lock.release()


def _beat(alive: Path, over: threading.Event) -> None:
    while not over.wait(BEAT):
        with suppress(OSError):  # a file server that is away for a moment; the next beat may pass
            alive.touch()


def _sign(folder: Path) -> int | None:
    """Return what changes while the holder of a folder lives."""
    try:
        return (folder / ALIVE).stat().st_mtime_ns
    except OSError:
        return None


def _holder(folder: Path) -> str | None:
    """Name the node that holds a folder; None where nobody says so."""
    try:
        return (folder / ALIVE).read_text().split()[0]
    except (OSError, IndexError):
        return None
