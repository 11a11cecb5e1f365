import hashlib
import json

import pytest

from leaderboards import store
from leaderboards.board import board
from leaderboards.errors import RecordError
from leaderboards.record_outcome import Artifacts, Provenance
from leaderboards.record_parts import Protocol, Selection, Tuning
from leaderboards.validate import validate
from leaderboards.values import digest
from tests.leaderboards.factory import record, seeds


def faults(tmp_path, *records):
    for each in records:
        store.write(each, tmp_path / "records")
    count, found = validate([tmp_path])
    assert count == len(records)
    return [fault.reason for fault in found]


def test_good_records_have_no_fault(tmp_path):
    weights = b"weights"
    (tmp_path / "student").write_bytes(weights)
    config = {"seed": 0, "lr": 0.1}
    whole = record(
        artifacts=Artifacts(student="student", panel="absent"),
        provenance=Provenance(
            config=config, config_sha256=digest(config), student_sha256=hashlib.sha256(weights).hexdigest()
        ),
    )
    assert faults(tmp_path, whole, *seeds("mgd", 0.5, 0.6), record("skt", 0, None, status="failed", reason="x")) == []


def test_changed_files_and_configurations_are_found(tmp_path):
    (tmp_path / "student").write_bytes(b"other weights")
    bad = record(
        artifacts=Artifacts(student="student"),
        provenance=Provenance(config={"lr": 1}, config_sha256=digest({"lr": 2}), student_sha256="0" * 64),
    )
    assert faults(tmp_path, bad) == [
        "config_sha256 is not the hash of the configuration",
        "student_sha256 is not the hash of student",
    ]


def test_a_configuration_of_another_run_is_found(tmp_path):
    config = {"seed": 0, "task": {"name": "seg"}, "data": {"name": "voc", "manifest": "f" * 64}, "method": "none"}
    bad = record(provenance=Provenance(config=config, config_sha256=digest(config)))
    assert faults(tmp_path, bad) == [
        f"the configuration says data.manifest is {'f' * 64}, the record None",
        "the configuration says data.name is voc, the record scenes",
    ]


def protocol(**changes):
    return Protocol.model_validate(record().protocol.model_dump() | changes)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (record(score=None), "status is ok but miou has no value"),
        (record(status="failed", reason="x"), "status is failed but there are test scores"),
        (record(score=None, status="failed"), "status is failed without a reason"),
        (record(protocol=protocol(selection=Selection(rule="best", split="test"))), "selection must use a validation"),
        (record(protocol=protocol(tuning=Tuning(n_trials=3, split="test"))), "tuned on the test split"),
        (record("mgd", teachers=[]), "the method names a teacher that is not listed"),
        (record(labels=(600, 512)), "more labelled than training images"),
    ],
)
def test_contradictions_are_named(tmp_path, made, reason):
    (found,) = faults(tmp_path, made)
    assert found.startswith(reason)


def test_a_renamed_file_is_found(tmp_path):
    path = store.write(record(), tmp_path)
    path.rename(tmp_path / "other.json")
    assert [fault.reason for fault in validate([tmp_path])[1]] == [
        f"the file is named other.json, expected {record().run_id}.json"
    ]


def test_a_record_that_does_not_fit_its_track_is_found(tmp_path):
    stranger = record("mgd", 3, 0.5, protocol=protocol(recipe={"steps": 9000}))
    assert faults(tmp_path, *seeds("mgd", 0.5, 0.5, 0.5), stranger) == ["differs from its track in: recipe"]


def test_duplicates_and_conflicts_are_found(tmp_path):
    store.write(record(), tmp_path / "a")
    store.write(record(), tmp_path / "b")
    store.write(record(score=0.7), tmp_path / "c")
    count, found = validate([tmp_path / name for name in "abc"])
    assert (count, sorted(fault.kind for fault in found)) == (3, ["conflict", "duplicate"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace('"wall_s": 60.0', '"wall_s": NaN'), "NaN is not JSON"),
        (lambda text: text.replace('"seed": 0,', '"seed": 0, "seed": 1,'), "key given twice: seed"),
        (lambda text: text[:-30], "not JSON"),
        (lambda text: json.dumps(json.loads(text) | {"extra": 1}), "not a record: extra"),
    ],
)
def test_what_is_no_strict_record_is_named(tmp_path, change, reason):
    path = store.write(record(), tmp_path)
    path.write_text(change(path.read_text()))
    count, (fault,) = validate([tmp_path])
    assert (count, fault.kind) == (0, "unreadable")
    assert fault.reason.startswith(reason)


def test_a_missing_path_is_an_error(tmp_path):
    with pytest.raises(RecordError, match="no such file"):
        validate([tmp_path / "nowhere"])


def test_a_record_with_another_direction_turns_no_board_and_is_found(tmp_path):
    runs = [*seeds("none", 0.5, 0.5, 0.5), *seeds("mgd", 0.6, 0.6, 0.6)]
    odd = record("cwd", 0, 0.4, higher=False)
    assert faults(tmp_path, *runs, odd) == ["differs from its track in: direction of the primary metric"]
    made = board([*runs, odd])
    assert made.track.higher_is_better
    assert [row.entry.label for row in made.rows] == ["mgd", "none", "cwd"]
