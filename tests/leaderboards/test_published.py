"""The boards in the repository are what the records in the repository give, and carry the comparison that they show."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from benchmark.commands.protocol import asked
from benchmark.config import catalog, protocols
from leaderboards import about, criteria, store
from leaderboards.board import Board
from leaderboards.paired import Values
from leaderboards.validate import validate
from leaderboards.write import stale_boards

BOARDS = Path(__file__).parents[2] / "leaderboards"
PUBLISHED, STARTING_SPEED = BOARDS / "published", BOARDS / "starting_speed"
EARLIER = [BOARDS / "pilots", BOARDS / "narrower_teachers"]  # records without boards
both = pytest.mark.parametrize("folder", [PUBLISHED, STARTING_SPEED], ids=lambda folder: folder.name)


@both
@pytest.mark.parametrize("form", ["md", "csv", "json", "svg"])
def test_the_boards_are_what_the_records_give(folder: Path, form: str) -> None:
    records, faults = store.read([folder])
    assert stale_boards(records, folder / "boards", [form], faults, [folder]) == [], "run make published"


@both
def test_what_is_kept_out_of_matrices_is_a_track_that_was_published(folder: Path) -> None:
    records, _ = store.read([folder])
    assert set(about.read([folder]).excluded) <= {record.track_id for record in records}


@pytest.mark.parametrize("folder", [PUBLISHED, STARTING_SPEED, *EARLIER], ids=lambda folder: folder.name)
def test_the_records_are_without_fault(folder: Path) -> None:
    count, faults = validate([folder])
    assert faults == []
    assert count > 0


@both
def test_all_methods_were_tuned_alike_and_the_code_was_committed(folder: Path) -> None:
    trials = defaultdict(set)
    for record in store.read([folder])[0]:
        assert record.provenance.git_dirty is False
        if record.method.roles:
            trials[record.track_id].add(record.protocol.tuning.n_trials if record.protocol.tuning else 0)
    assert all(len(found) == 1 for found in trials.values())


def test_whoever_is_published_has_every_seed_of_a_protocol_that_proves() -> None:
    """The records say which methods and tracks there are; what a protocol asks for is asked of each."""
    seeds = defaultdict(set)
    for record in store.read([PUBLISHED])[0]:
        assert record.status in ("ok", "not_applicable"), f"{record.run_id}: {record.status_reason}"
        seeds[record.protocol.name, record.track_id, record.entry_id].add(record.seed)
    for (name, *_), found in seeds.items():
        protocol = protocols.read(name)
        assert protocol.proves
        assert found == set(protocol.seeds)


def test_what_is_published_meets_every_criterion_of_its_protocol() -> None:
    catalog.load()
    protocol = protocols.read("standard")
    said = criteria.evidence(store.read([PUBLISHED])[0], "standard")
    assert said
    for task, evidence in said.items():
        assert not [each for each in criteria.judge(evidence, asked(protocol, task)) if not each.met], task


def test_no_board_names_a_criterion_that_it_does_not_meet(published: tuple[list[Board], Values]) -> None:
    for board in published[0]:
        assert not [note for note in board.notes if note.startswith(("Not met", "Not known"))], board.track.name


def test_the_manual_quotes_the_criteria_as_they_are() -> None:
    catalog.load()
    protocol, page = protocols.read("standard"), (BOARDS.parent / "docs" / "results.md").read_text()
    for task, evidence in criteria.evidence(store.read([PUBLISHED])[0], "standard").items():
        for each in criteria.judge(evidence, asked(protocol, task)):
            assert f"{each.name}: {each.figures}" in page, (
                "run: benchmark protocol check standard leaderboards/published"
            )


def test_starting_speed_is_headed_as_what_it_is() -> None:
    assert "not a comparison of methods" in about.read([STARTING_SPEED]).title
    assert not any(record.protocol.proves for record in store.read([STARTING_SPEED])[0])
