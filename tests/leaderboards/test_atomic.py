import errno
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from leaderboards import atomic
from leaderboards.atomic import atomic_write, discard


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def forked(work: Callable[..., object], *values: object) -> BaseProcess:
    """Do something in another process."""
    process = multiprocessing.get_context("fork").Process(target=work, args=values)  # which imports nothing again
    process.start()
    return process


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.json"
    atomic_write(path, "first")
    path.chmod(0o600)
    atomic_write(path, "second, ä")
    assert path.read_text(encoding="utf-8") == "second, ä"
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(path.parent) == ["file.json"]


def test_what_a_killed_writer_left_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = atomic_write(tmp_path / "file", "old")
    monkeypatch.setattr(atomic, "_sync_folder", lambda folder: None)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *names: os.kill(os.getpid(), signal.SIGKILL))
        writer = forked(atomic_write, path, "x" * 1000)
        writer.join()
    assert writer.exitcode == -signal.SIGKILL
    assert (path.read_text(), names(tmp_path)) == ("old", [".file.tmp", "file"])
    atomic_write(path, "new")
    assert (path.read_text(), names(tmp_path)) == ("new", ["file"])


def test_what_a_killed_writer_left_goes_with_its_file(tmp_path: Path) -> None:
    for name in ("file", ".file.tmp", "other"):
        (tmp_path / name).touch()
    discard(tmp_path / "file")
    discard(tmp_path / "file")
    assert names(tmp_path) == ["other"]


def test_writers_of_one_file_wait_for_one_another(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def write(number: int) -> None:
        for _ in range(30):
            atomic_write(path, f"{number}" * 5000)

    writers, seen = [forked(write, number) for number in range(4)], set()
    while any(writer.is_alive() for writer in writers):
        if path.exists():
            seen.add(path.read_text())
        time.sleep(0.001)
    seen.add(path.read_text())
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert seen <= {f"{number}" * 5000 for number in range(4)}
    assert names(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = atomic_write(tmp_path / "file", "old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        atomic_write(path, "new")
    assert caught.value.filename == str(path)
    assert (path.read_text(), names(tmp_path)) == ("old", ["file"])
