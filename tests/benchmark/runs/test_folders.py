from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmark.runs.folders import check_writable, held
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
