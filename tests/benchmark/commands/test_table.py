import io

from rich.console import Console

from benchmark.commands import table
from leaderboards.board import board
from leaderboards.record import Record
from leaderboards.render.columns import columns
from tests.leaderboards.factory import record


def shown(*records: Record) -> list[list[str]]:
    """The lines of the table as their cells, borders left out, and what stands below."""
    console = Console(file=io.StringIO(), width=160)
    table.show(records, console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # a StringIO
    return [[cell.strip() for cell in line.replace("┃", "│").strip("│").split("│")] for line in lines]


def test_the_table_says_what_the_board_says() -> None:
    records = [record("none", 0, 0.5), record("mgd", 0, 0.55, train_s=90.0), record("[b]", 0, 0.4)]
    lines = shown(*records)
    assert lines[0] == ["Seg on scenes, 64/512 labels (64 of 512)"]
    assert ["method", "miou ↑", "gain", "params", "MACs", "training", "status"] in lines
    assert ["mgd", "0.5500", "+0.0500", "1.20 M", "310 M", "90.0 s", "ok"] in lines
    assert ["[b]", "0.4000", "−0.1000", "1.20 M", "310 M", "60.0 s", "ok"] in lines
    assert ["none (control)", "0.5000", "–", "1.20 M", "310 M", "60.0 s", "ok"] in lines
    assert ["teacher deep: fpn resnet50", "0.6000", "–", "26.0 M", "9.00 G", "–", "reference"] in lines
    made = board(records)
    gain = next(column for column in columns(made) if column.title == "gain")
    assert [gain.row(row).text for row in made.rows] == ["+0.0500", "–", "−0.1000"]


def test_below_the_table_stands_how_loud_a_method_is() -> None:
    pulls = {"ratio_steps": [0], "ratios": {"supervised": [1.0], "kd": [22.5]}}
    lines = shown(record("none", 0, 0.5), record("stkd", 0, 0.45, diagnostics=pulls))
    assert lines[-1] == ["gradients of the terms over the task loss's: stkd 22.50 ×"]


def test_a_run_that_did_not_end_well_says_why() -> None:
    lines = shown(record("none", 0, 0.5), record("mgd", 0, None, status="diverged", reason="loss is [NaN] at step 3"))
    assert ["mgd", "–", "–", "–", "–", "–", "diverged"] in lines
    assert lines[-1] == ["mgd, seed 0 diverged: loss is [NaN] at step 3"]


def test_nothing_is_shown_of_no_runs() -> None:
    assert shown() == []
