"""What boards say in sentences: queries, so that no text outlives its records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leaderboards.board import Board, Row
from leaderboards.paired import LEVEL
from leaderboards.render import text
from leaderboards.render.markdown import escape
from leaderboards.tuning import TuningRecord

SLOW = 2.0  # times the training time that is worth a word
LOUD = 2.0  # times the task loss's gradient from which on a method is called loud


def statements(boards: Iterable[Board]) -> list[str]:
    """Say of each board which gains over the student alone lie above, below and around zero; then, of loud methods."""
    boards = list(boards)
    return [*(f"- **{escape(board.track.under_budget)}**: {_sides(board)}" for board in boards), *_loud(boards)]


def _sides(board: Board) -> str:
    """Sort the gains of a board by where their intervals lie; a method that fails in a seed has none."""
    if board.excluded:
        return f"takes no part: {escape(board.excluded)}"
    failed = ", ".join(f"`{_label(row)}`" for row in board.rows if row.entry.failed)
    known = [(row, row.gain.side) for row in _finished(board) if row.gain and row.gain.side is not None]
    if not known:
        return "no gain has an interval" + (f"; failed: {failed}." if failed else ".")
    sides = {
        name: [row for row, side in known if side == wanted]
        for name, wanted in (("above zero", 1), ("below zero", -1), ("around zero", 0))
    }
    slow = [row for row in _finished(board) if row.train_ratio is not None and row.train_ratio >= SLOW]
    costly = ", ".join(f"`{_label(row)}` {text.times(row.train_ratio)}" for row in slow if not row.entry.control)
    said = {side: ", ".join(map(_gain, rows)) for side, rows in sides.items()} | {
        "failed": failed,
        f"methods of {SLOW:g} × the student alone's training time and more": costly,
    }
    return "; ".join(f"{title}: {rows}" for title, rows in said.items() if rows) + "."


def _finished(board: Board) -> list[Row]:
    """List the rows of which no run failed: what the other seeds reach is no gain."""
    return [row for row in board.rows if not row.entry.failed]


def _loud(boards: Iterable[Board]) -> list[str]:
    """Count where gains under equal steps lie: of methods that pull much harder than the task loss, and of others."""
    fair = (board for board in boards if board.track.budget_kind == "steps" and not board.excluded)
    rows = [row for board in fair for row in _finished(board) if not row.entry.control]
    pulls = [(row.entry.loudness, row.gain.side if row.gain else None) for row in rows]
    known = [(pull, side) for pull, side in pulls if pull is not None and side is not None]
    loud, rest = [side for pull, side in known if pull >= LOUD], [side for pull, side in known if pull < LOUD]
    if not loud or not rest:
        return []
    head = f"gradients of the terms at least {LOUD:g} times the task loss's"
    return [f"- **Loudness**: {head}, {_counted(loud)}; smaller ones, {_counted(rest)}."]


def _counted(sides: Sequence[int]) -> str:
    places = (("above", 1), ("around", 0), ("below", -1))
    return f"{len(sides)} {'row' if len(sides) == 1 else 'rows'}: " + ", ".join(
        f"{sides.count(side)} {place} zero" for place, side in places
    )


def _label(row: Row) -> str:
    return text.clean(row.entry.label).replace("`", "")


def _gain(row: Row) -> str:
    """Write a gain, and where its interval leaves zero out but would not among so many gains, the corrected p."""
    alone = row.gain is not None and row.gain.side and row.p_holm is not None and row.p_holm >= LEVEL
    return f"`{_label(row)}` {text.signed(row.gain)}" + (f" (Holm's p {text.number(row.p_holm, 3)})" if alone else "")


def tuned(records: Sequence[TuningRecord]) -> list[str]:
    """Say how many of the strengths that were tuned lie at an edge of what was tried."""
    strengths = [record for record in records if record.parameter == "strength"]
    edge = [record for record in strengths if record.at_the_edge]
    upper = sum(record.chosen == max(trial.value for trial in record.trials) for record in edge)
    if not strengths:
        return []
    said = f"{len(edge)} of {len(strengths)} strengths lie at an edge of what was tried, {upper} at the upper"
    return [f"- **Tuning**: {said}."]
