import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboards import attachments
from leaderboards.attachments import PNG, POINTS, collect, home, thin
from leaderboards.record_outcome import Artifacts
from tests.leaderboards.factory import record


@pytest.fixture
def run(tmp_path):
    (tmp_path / "records").mkdir()
    lines = [{"step": step, "loss": 10.0 - step, "broken": "nan"} for step in range(10)]
    (tmp_path / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "panel.png").write_bytes(PNG + b"picture")
    return record(artifacts=Artifacts(steps="steps.jsonl", panel="panel.png"))


def test_files_are_found_from_the_home_the_records_and_a_record(tmp_path, run):
    (tmp_path / "records" / "a.json").write_text("{}")
    for path in (tmp_path, tmp_path / "records", tmp_path / "records" / "a.json"):
        assert home(path) == tmp_path
        found, faults = collect([run], [path])
        assert faults == []
        assert found[run.run_id].panel == PNG + b"picture"
        assert found[run.run_id].curves == {"loss": (list(range(10)), [10.0 - step for step in range(10)])}


def test_the_first_finished_seed_stands_for_its_entry(tmp_path, run):
    others = [run.model_copy(update={"seed": seed, "run_id": f"seed-{seed}"}) for seed in (1, 2)]
    failed = run.model_copy(update={"status": "failed"})
    assert list(collect([others[1], failed, others[0]], [tmp_path])[0]) == ["seed-1"]


def test_absent_files_are_no_fault(tmp_path):
    assert collect([record(artifacts=Artifacts(steps="no", panel="no"))], [tmp_path]) == ({}, [])


def test_files_of_another_kind_are_faults(tmp_path, run):
    (tmp_path / "steps.jsonl").write_text('[1]\n{"step"')
    (tmp_path / "panel.png").write_bytes(b"<svg onload=alert(1)>")
    found, faults = collect([run], [tmp_path])
    assert found == {}
    assert [fault.file.rpartition("/")[2] for fault in faults] == ["steps.jsonl", "panel.png"]


def test_panels_have_a_limit(tmp_path, run, monkeypatch):
    monkeypatch.setattr(attachments, "PANEL_BYTES", 4)
    found, (fault,) = collect([run], [tmp_path])
    assert found[run.run_id].panel is None
    assert "left out" in fault.reason


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=500))
def test_thinning_keeps_the_mean_and_the_range(values):
    steps, means = thin(range(len(values)), values)
    assert len(steps) == len(means) <= POINTS
    assert steps == sorted(set(steps))
    assert min(values) - 1e-3 <= min(means)
    assert max(means) <= max(values) + 1e-3
    if len(values) <= POINTS:
        assert means == pytest.approx(values, rel=1e-4)
