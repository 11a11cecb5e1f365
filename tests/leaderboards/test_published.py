"""The boards in the repository are what the records in the repository give."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from leaderboards import about, store
from leaderboards.validate import validate
from leaderboards.write import stale_boards

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


def test_whoever_is_published_is_published_everywhere_with_three_seeds() -> None:
    """The records say which methods, tasks and labeled parts there are; none of their combinations is missing."""
    seeds = defaultdict(set)
    for record in store.read([PUBLISHED])[0]:
        assert record.status == "ok", f"{record.run_id}: {record.status_reason}"
        if not record.method.variant and record.protocol.budget.kind == "steps":
            seeds[record.task.name, record.dataset.labeled.name, record.method.name].add(record.seed)
    places = {(task, labeled) for task, labeled, _ in seeds}
    names = {name for *_, name in seeds}
    assert [(*place, name) for place in places for name in names if len(seeds[(*place, name)]) < 3] == []


def test_all_methods_were_tuned_alike_and_the_code_was_committed() -> None:
    trials = defaultdict(set)
    for record in store.read([PUBLISHED])[0]:
        assert record.provenance.git_dirty is False
        if not record.method.control:
            assert record.protocol.tuning is not None, record.run_id
            trials[record.track_id].add(record.protocol.tuning.n_trials)
    assert all(len(found) == 1 for found in trials.values())
