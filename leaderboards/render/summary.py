"""The tables that span several boards: matrices and budgets side by side, shared by the formats that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboards.board import Board, Row
from leaderboards.budget_comparison import Comparison
from leaderboards.matrix import FEWEST_TASKS, Cell, Matrix, MatrixRow
from leaderboards.render import text
from leaderboards.signed_rank import ROPE

LEGEND = (
    "Each cell: gap recovered between the control and the teacher (rank). A dash: the gap is undefined, because the "
    "teacher is not clearly better than the control. Raw metrics are never averaged across tasks."
)
TAIL = ("mean rank", "mean gap", "P(better/same/worse)", "win/tie/loss", "coverage")
SYMBOLS = {"win": "▲", "tie": "=", "loss": "▼"}


@dataclass(frozen=True)
class Table:
    """A table of text: titles, which columns hold numbers, rows."""

    titles: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


def matrix_table(matrix: Matrix, complete: bool) -> Table:
    """Return the complete rows of a matrix, or those below the line."""
    titles = ("method", *matrix.columns, *TAIL)
    rows = tuple(_matrix_row(row) for row in matrix.rows if row.complete == complete)
    return Table(titles, (False, *[True] * (len(titles) - 1)), rows)


def _matrix_row(row: MatrixRow) -> tuple[str, ...]:
    label = text.clean(row.label) + (" (control)" if row.control else "")
    return (label, *map(matrix_cell, row.cells), *matrix_tail(row))


def matrix_tail(row: MatrixRow) -> tuple[str, ...]:
    """Write what is said of a method over all tasks, one cell a title of ``TAIL``."""
    gap = text.DASH if row.mean_gap is None else f"{text.number(100 * row.mean_gap, 0)} %"
    applies = [cell for cell in row.cells if cell is None or cell.status != "not_applicable"]
    return (
        text.number(row.mean_rank, 2),
        gap if row.gaps == len(applies) or row.mean_gap is None else f"{gap} ({row.gaps} of {len(applies)})",
        _posterior(row),
        "/".join(str(row.count(outcome)) for outcome in ("win", "tie", "loss")),
        f"{text.number(100 * row.coverage, 0)} %",
    )


def _posterior(row: MatrixRow) -> str:
    """Write the three probabilities in percent."""
    if row.posterior is None:
        return text.DASH
    said = (row.posterior.better, row.posterior.equivalent, row.posterior.worse)
    return "/".join(text.number(100 * share, 0) for share in said) + " %"


def matrix_cell(cell: Cell | None) -> str:
    """Write a cell: gap recovered, its sign against the control, rank; or why there is none."""
    if cell is None:
        return "missing"
    if cell.status != "ok":
        return cell.status.replace("_", " ") + _rank(cell)
    sign = f"{SYMBOLS[cell.outcome]} " if cell.outcome else ""
    return f"{sign}{text.percent(cell.gap, with_interval=False)}{_rank(cell)}"


def _rank(cell: Cell) -> str:
    return "" if cell.rank is None else f" ({cell.rank:g})"


def matrix_notes(matrix: Matrix) -> list[str]:
    """Say what is left out, explain the marks, and what the numbers cannot say."""
    cells = [cell for row in matrix.rows for cell in row.cells if cell is not None and cell.p_holm is not None]
    sentences = [
        *matrix.left_out,
        f"{SYMBOLS['win']} {SYMBOLS['tie']} {SYMBOLS['loss']}: the 95 % interval of the gain over the control lies "
        "above zero, around it, below it; a crash is a loss.",
        "P(better/same/worse): probabilities that the method is better than the control on a task like these, within "
        f"{100 * ROPE:g} % of the gap of it, or worse: Bayesian signed-rank test of the gaps recovered, which takes "
        f"each task's mean as it is; a dash below {FEWEST_TASKS} tasks.",
    ]
    if significant := sum(cell.p_holm is not None and cell.p_holm < 0.05 for cell in cells):
        sentences.append(f"{significant} of {len(cells)} cells differ from the control at 5 %, Holm over all of them.")
    elif cells:
        sentences.append(f"None of {len(cells)} cells differs from the control at 5 %, Holm over all of them.")
    return sentences


def budget_table(comparison: Comparison) -> Table:
    """Return rank, score and gain of each entry under each budget."""
    titles = [f"{title}: {what}" for board in comparison.boards for title in [board.track.budget] for what in _WHAT]
    places = [_places(board) for board in comparison.boards]
    rows = tuple(
        (
            text.clean(label),
            *(cell for row, digits in zip(rows, places, strict=True) for cell in _budget_cells(row, digits)),
        )
        for label, rows in comparison.rows
    )
    return Table(("method", *titles), (False, *[True] * len(titles)), rows)


_WHAT = ("rank", "score", "gain", "training")


def _places(board: Board) -> int:
    return text.decimals(row.score.mean for row in board.rows if row.score)


def _budget_cells(row: Row | None, places: int) -> Sequence[str]:
    if row is None:
        return ("missing", text.DASH, text.DASH, text.DASH)
    state, place = row.entry.status.replace("_", " "), "" if row.rank is None else f"{row.rank} {row.group}".strip()
    rank = place if row.entry.status == "ok" else f"{state} ({place})" if place else state
    gain = text.DASH if row.gain is None else text.number(row.gain.mean, places, sign=True)
    return (rank, text.spread(row.score, places), gain, text.times(row.train_ratio))
