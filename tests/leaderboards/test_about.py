from pathlib import Path

import pytest

from leaderboards import about, store
from leaderboards.about import About
from leaderboards.errors import RecordError
from leaderboards.leaderboard import leaderboard
from leaderboards.render import json as json_board
from leaderboards.write import RENDERERS, stale_boards, write_boards
from tests.leaderboards.factory import seeds

TITLE, TEXT, REASON = "Starting <b>speed</b>", "Because of *few* steps.", "nobody beats <i>the median</i>."
DEPTH = {"task": "depth", "metric": "rmse", "higher": False, "teacher": 2.0}
COUNT = {"task": "count", "metric": "mae", "higher": False, "teacher": 2.0}
RECORDS = [
    *seeds("none", 0.50, 0.505, 0.51),
    *seeds("none", 3.0, 3.2, 3.1, **DEPTH),
    *seeds("none", 5.0, 5.2, 5.1, **COUNT),
    *seeds("mgd", 0.55, 0.553, 0.56),
    *seeds("mgd", 2.5, 2.6, 2.7, **DEPTH),
    *seeds("mgd", 5.5, 5.6, 5.7, **COUNT),
]
ABOUT = About(title=TITLE, text=TEXT, excluded={"count-scenes-64-steps": REASON})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for record in RECORDS:
        store.write(record, tmp_path / store.RECORDS)
    (tmp_path / about.FILE).write_text(ABOUT.model_dump_json())
    return tmp_path


def test_it_is_read_beside_the_records_however_these_are_named(home: Path) -> None:
    records = home / store.RECORDS
    for paths in ([home], [records], [home, records], sorted(records.iterdir())):
        assert about.read(paths) == ABOUT
    assert about.read([home.parent]) == About()


def test_several_homes_all_speak(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    second = tmp_path_factory.mktemp("second")
    (second / about.FILE).write_text('{"title": "Quick", "excluded": {"x": "a reason."}}')
    both = about.read([home, second])
    assert (both.title, both.text) == (f"{TITLE}; Quick", TEXT)
    assert both.excluded == {"count-scenes-64-steps": REASON, "x": "a reason."}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", r"about\.json: the file: Invalid JSON"),
        ('{"caption": "x"}', r"caption: Extra inputs.*known fields: title"),
    ],
)
def test_a_damaged_one_is_named(tmp_path: Path, content: str, fault: str) -> None:
    (tmp_path / about.FILE).write_text(content)
    with pytest.raises(RecordError, match=fault):
        about.read([tmp_path])


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_every_format_says_what_it_shows(home: Path, name: str) -> None:
    (path,) = write_boards(RECORDS, home / "boards", [name], sources=[home])
    shown = path.read_text()
    escaped = {"md": "Starting &#60;b&#62;speed", "html": "Starting &lt;b&gt;speed", "svg": "Starting &lt;b&gt;speed"}
    assert escaped.get(name, TITLE) in shown
    (home / about.FILE).unlink()
    assert stale_boards(RECORDS, home / "boards", [name], sources=[home]) == [path]


def test_an_excluded_board_is_shown_with_its_reason_and_takes_no_part_in_the_matrix() -> None:
    page = leaderboard(RECORDS, about=ABOUT)
    (matrix,) = page.matrices
    assert matrix.columns == ("Depth", "Seg")
    assert matrix.left_out == (f"Count is left out: {REASON}",)
    assert [row.mean_rank for row in matrix.rows] == [1.0, 2.0]
    notes = {board.track.task: board.notes for board in page.boards}
    assert notes["count"][0] == f"No matrix holds this board: {REASON}"
    assert not any("matrix" in note for task in ("seg", "depth") for note in notes[task])
    assert leaderboard(RECORDS).matrices[0].columns == ("Count", "Depth", "Seg")


def test_one_board_that_is_left_makes_no_matrix() -> None:
    only = About(excluded={"count-scenes-64-steps": REASON, "depth-scenes-64-steps": REASON})
    assert leaderboard(RECORDS, about=only).matrices == ()
    assert '"matrices": []' in json_board.render(leaderboard(RECORDS, about=only))
