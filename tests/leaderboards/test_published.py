"""The boards in the repository are what the records in the repository give."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from leaderboards import about, store
from leaderboards.validate import validate
from leaderboards.write import stale_boards
from methods.base import methods
from tasks.base import tasks

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "leaderboards" / "published"


@pytest.mark.parametrize("form", ["md", "csv", "json", "svg"])
def test_the_boards_are_what_the_records_give(form: str) -> None:
    records, faults = store.read([PUBLISHED])
    assert stale_boards(records, PUBLISHED / "boards", [form], faults, [PUBLISHED]) == [], "run make published"


def test_what_is_kept_out_of_matrices_is_a_track_that_was_published() -> None:
    records, _ = store.read([PUBLISHED])
    assert set(about.read([PUBLISHED]).excluded) <= {record.track_id for record in records}


def test_the_records_are_without_fault() -> None:
    count, faults = validate([PUBLISHED])
    assert faults == []
    assert count > 0


def test_every_method_ran_on_every_task_with_three_seeds() -> None:
    seeds = defaultdict(set)
    for record in store.read([PUBLISHED])[0]:
        assert record.status == "ok", f"{record.run_id}: {record.status_reason}"
        if not record.method.variant and record.protocol.budget.kind == "steps":
            seeds[record.task.name, record.dataset.labeled.name, record.method.name].add(record.seed)
    wanted = [(task, "full") for task in tasks] + [(task, "seeded-1/8") for task in ("seg", "depth", "saliency")]
    missing = [(*each, name) for each in wanted for name in methods if len(seeds[(*each, name)]) < 3]
    assert missing == []


def test_all_methods_were_tuned_alike_and_the_code_was_committed() -> None:
    trials = defaultdict(set)
    for record in store.read([PUBLISHED])[0]:
        assert record.provenance.git_dirty is False
        if not record.method.control:
            assert record.protocol.tuning is not None, record.run_id
            trials[record.track_id].add(record.protocol.tuning.n_trials)
    assert all(len(found) == 1 for found in trials.values())
