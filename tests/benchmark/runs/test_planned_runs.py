from __future__ import annotations

from pathlib import Path

import pytest

from leaderboards import store
from tasks.errors import InputError
from tests.support import tiny_run


def test_only_some_of_what_a_command_means(home: Path) -> None:
    records = tiny_run(home, "method=[none,mixup,pixel]", "only=[methods.none]")
    assert [record.method.name for record in records] == ["none"]


def test_only_a_teacher(tmp_path: Path) -> None:
    assert tiny_run(tmp_path, "method=pixel", "only=[teacher.deep]") == []
    assert len(list(tmp_path.glob("teachers/*/teacher.json"))) == 1
    assert not (tmp_path / store.RECORDS).exists()
    assert list(tmp_path.glob("trivial/*.json")), "what every run needs is there before the first"


def test_only_what_there_is(home: Path) -> None:
    with pytest.raises(InputError, match=r"only=\[methods.nonee\]: expected .*; did you mean 'methods.none'"):
        tiny_run(home, "method=none", "only=[methods.nonee]")
