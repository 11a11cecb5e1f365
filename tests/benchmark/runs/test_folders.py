from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from benchmark.runs import folders
from benchmark.runs.folders import ALIVE, LOCK, check_writable, held, held_now
from tasks.errors import InputError


def test_jobs_that_start_together_do_not_disturb_one_another(tmp_path: Path) -> None:
    home, together = tmp_path / "runs", threading.Barrier(2)

    def start(job: int) -> None:
        for _ in range(200):
            together.wait()
            check_writable(home)

    with ThreadPoolExecutor(2) as jobs:
        assert list(jobs.map(start, range(2))) == [None, None]
    assert list(tmp_path.iterdir()) == [], "what was tried is gone"


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: cannot be written .*choose another folder"):
        check_writable(tmp_path / "file")


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def wait() -> None:
        order.append("waits")
        waiting.set()

    def second() -> None:
        with held(tmp_path / "run", wait):
            order.append("second")

    with ThreadPoolExecutor(1) as jobs:
        with held(tmp_path / "run", lambda: order.append("never")):
            job = jobs.submit(second)
            waiting.wait()
            order.append("first")
        job.result()
    assert order == ["waits", "first", "second"]


def test_a_folder_is_held_now_or_not_at_all(tmp_path: Path) -> None:
    with held_now(tmp_path / "run") as first, held_now(tmp_path / "run") as second:
        assert (first, second) == (True, False)
        assert (tmp_path / "run" / ALIVE).read_text().split()[1] == str(os.getpid())
    assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK], "signs of life end with it"


@pytest.mark.parametrize(
    ("node", "taken"), [("a-node-that-died", True), (socket.gethostname(), False)], ids=["another", "this"]
)
def test_the_lock_of_a_node_that_died_is_taken_over(
    node: str, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file server still keeps the lock; a process of this node, which is silent, may be stopped and go on."""
    monkeypatch.setattr(folders, "SILENT", 0.2)
    monkeypatch.setattr(folders, "POLL", 0.05)
    dead = FileLock(tmp_path / LOCK)
    dead.acquire()
    (tmp_path / ALIVE).write_text(f"{node} 1\n")
    got = threading.Event()

    def wait_for_it() -> None:
        with held(tmp_path, lambda: None):
            got.set()

    with ThreadPoolExecutor(1) as jobs:
        job = jobs.submit(wait_for_it)
        assert got.wait(30 if taken else 1) == taken
        dead.release()
        job.result()


def test_a_holder_that_shows_signs_of_life_keeps_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "SILENT", 0)
    monkeypatch.setattr(folders, "POLL", 0.01)
    monkeypatch.setattr(folders, "_holder", lambda folder: "another-node")
    signs = itertools.count()
    monkeypatch.setattr(folders, "_sign", lambda folder: next(signs))
    got = threading.Event()

    def wait_for_it() -> None:
        with held(tmp_path, lambda: None):
            got.set()

    with ThreadPoolExecutor(1) as jobs, held(tmp_path, lambda: None):
        jobs.submit(wait_for_it)
        assert not got.wait(0.5)
    assert got.is_set()
    assert next(signs) > 2, "they were looked at"


def test_signs_of_life_go_on_while_a_folder_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "BEAT", 0.01)
    with held_now(tmp_path):
        first, over = folders._sign(tmp_path), time.monotonic() + 30
        while folders._sign(tmp_path) == first and time.monotonic() < over:
            time.sleep(0.01)
        assert folders._sign(tmp_path) != first
