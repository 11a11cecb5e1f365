import csv
import io

from leaderboards.board import boards
from leaderboards.leaderboard import leaderboard
from leaderboards.matrix import matrices
from leaderboards.render.csv import render
from tests.leaderboards.factory import seeds

NOBODY = {"median": {"miou": 0.45, "dice": None}, "mean": {"miou": 0.30}}
DEPTH = {"task": "depth", "metric": "rmse", "higher": False, "teacher": 2.0, "trivial": {"median": {"rmse": 2.5}}}


def seg(**changes):
    return [*seeds("none", 0.40, 0.41, **changes), *seeds("mgd", 0.50, 0.51, **changes)]


def test_they_are_rows_that_are_not_ranked():
    (board,) = boards(seg(trivial=NOBODY))
    assert [(row.role, row.label, row.score) for row in board.references[1:]] == [
        ("trivial", "trivial: mean", 0.30),
        ("trivial", "trivial: median", 0.45),
    ]
    assert not any(row.main for row in board.references[1:])


def test_a_control_that_does_not_beat_them_leaves_gaps_undefined_and_its_column_out():
    depth = [*seeds("none", 3.0, 3.1, **DEPTH), *seeds("mgd", 2.8, 2.9, **DEPTH)]
    weak, strong = boards([*seg(trivial={"mean": NOBODY["mean"]}), *depth])
    assert (weak.track.task, strong.track.task) == ("depth", "seg")
    assert all(row.gap is None for row in weak.rows)
    assert any(row.gap is not None for row in strong.rows)
    assert "does not beat the predictor 'median'" in weak.excluded
    assert weak.excluded in " ".join(weak.notes)
    assert matrices([weak, strong]) == []


def test_nothing_is_said_where_nothing_is_known():
    (board,) = boards(seg())
    assert (board.excluded, len(board.references)) == ("", 1)


def test_a_trivial_predictor_is_no_teacher_in_csv():
    rows = list(csv.DictReader(io.StringIO(render(leaderboard(seg(trivial=NOBODY))))))
    kinds = {row["method"]: row["kind"] for row in rows}
    assert kinds["trivial: mean"] == "trivial"
    assert kinds["teacher deep: fpn resnet50"] == "teacher"
