import json
import os

import pytest

from leaderboards import store
from leaderboards.atomic import atomic_write
from leaderboards.errors import RecordError
from leaderboards.record_outcome import Verification
from tests.leaderboards.factory import record, seeds


def test_what_is_written_is_read(tmp_path):
    made = seeds("none", 0.5, 0.6) + seeds("mgd", 0.7)
    paths = [store.write(each, tmp_path / "records") for each in made]
    assert [path.name for path in paths] == [f"{each.run_id}.json" for each in made]
    assert store.read([tmp_path]) == (sorted(made, key=lambda each: each.run_id), [])
    assert store.read([tmp_path / "records"])[0] == store.read(paths)[0]


def test_nothing_but_records_is_left_behind(tmp_path):
    path = store.write(record(), tmp_path)
    store.write(record(score=0.7), tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    assert store.read_one(path).score == 0.7


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = atomic_write(tmp_path / "file", "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic_write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unwritable_folder_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be written"):
        store.write(record(), tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"{", b'{"run_id": 1}', b"\xff\xfe\x00", b"[" * 100_000])
def test_a_corrupt_record_is_named_and_the_rest_go_on(tmp_path, content):
    good = seeds("none", 0.5, 0.6)
    for each in good:
        store.write(each, tmp_path)
    (tmp_path / "bad.json").write_bytes(content)
    records, faults = store.read([tmp_path])
    assert records == good
    assert [(fault.kind, fault.file) for fault in faults] == [("unreadable", str(tmp_path / "bad.json"))]
    assert str(tmp_path) not in faults[0].reason


def test_a_missing_path_is_an_error(tmp_path):
    with pytest.raises(RecordError, match="no such file or folder"):
        store.read([tmp_path / "nowhere"])


def test_a_file_named_twice_is_no_duplicate(tmp_path):
    path = store.write(record(), tmp_path)
    assert store.read([tmp_path, path]) == ([record()], [])


def test_duplicates_and_conflicts_are_reported(tmp_path):
    store.write(record(), tmp_path / "a")
    store.write(record(), tmp_path / "b")
    store.write(record(train_s=99.0), tmp_path / "c")
    store.write(record(score=0.9), tmp_path / "d")
    records, faults = store.read([tmp_path / name for name in "abcd"])
    assert records == [record()]
    assert [fault.kind for fault in faults] == ["duplicate", "duplicate", "conflict"]
    assert "same content" in faults[0].reason
    assert "same scores" in faults[1].reason
    assert "ok, miou 0.5 there, ok, miou 0.9 here" in faults[2].reason


def test_a_finished_run_replaces_a_failed_one(tmp_path):
    store.write(record(score=None, status="failed"), tmp_path / "a")
    store.write(record(), tmp_path / "b")
    for order in ("ab", "ba"):
        records, faults = store.read([tmp_path / name for name in order])
        assert records == [record()]
        assert [fault.kind for fault in faults] == ["conflict"]


def test_a_finished_run_replaces_one_that_was_stopped_elsewhere(tmp_path):
    store.write(record(score=None, status="interrupted"), tmp_path / "a")
    store.write(record(), tmp_path / "b")
    for order in ("ab", "ba"):
        records, faults = store.read([tmp_path / name for name in order])
        assert records == [record()]
        assert [fault.kind for fault in faults] == ["duplicate"]


def test_a_run_that_ended_badly_is_not_hidden_by_one_that_was_stopped(tmp_path):
    diverged = record(score=None, status="diverged", reason="NaN")
    store.write(record(score=None, status="interrupted"), tmp_path / "a")
    store.write(diverged, tmp_path / "b")
    for order in ("ab", "ba"):
        assert store.read([tmp_path / name for name in order])[0] == [diverged]


def test_a_refuted_record_is_not_hidden_by_an_unchecked_copy(tmp_path):
    refuted = record(verification=Verification(level="L3", reproduced=False))
    store.write(record(), tmp_path / "a")
    store.write(refuted, tmp_path / "b")
    assert store.read([tmp_path / "a", tmp_path / "b"])[0] == [refuted]


def test_records_on_disk_are_plain_utf8(tmp_path):
    path = store.write(record(reason="größer ∞", status="failed"), tmp_path)
    assert json.loads(path.read_text(encoding="utf-8"))["status_reason"] == "größer ∞"
    assert "größer" in path.read_bytes().decode()
