import errno
import os
import signal
import time
from pathlib import Path

import pytest

from leaderboards import atomic
from leaderboards.atomic import atomic_write, discard


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def forked(work) -> int:
    """Do something in a child process that never returns here."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


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
        os.waitpid(forked(lambda: atomic_write(path, "x" * 1000)), 0)
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

    children = [forked(lambda number=number: write(number)) for number in range(4)]
    seen = set()
    while children:
        if path.exists():
            seen.add(path.read_text())
        children = [pid for pid in children if os.waitpid(pid, os.WNOHANG)[0] == 0]
        time.sleep(0.001)
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
