"""Matrices: methods against tasks. Only ranks and gaps recovered are averaged; raw metrics never are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from leaderboards.board import Board, Row, by_name
from leaderboards.naming import short
from leaderboards.ranking import average_ranks
from leaderboards.signed_rank import Posterior, signed_rank
from leaderboards.statistics import Estimate, holm
from leaderboards.track import Track

FEWEST_TASKS = 3  # that can say anything of a task like them

Outcome = Literal["win", "tie", "loss"]
SIDES: dict[int, Outcome] = {1: "win", 0: "tie", -1: "loss"}  # of zero, where the interval of a gain lies
BUDGETS = {"steps": "equal steps", "time": "equal training time", "open": "open budget"}


@dataclass(frozen=True)
class Cell:
    """A method on a track."""

    status: str
    gap: Estimate | None = None  # gap recovered; None is a dash
    gain: Estimate | None = None  # over the control
    rank: float | None = None  # by the mean, among the complete rows; equal means share their average
    outcome: Outcome | None = None  # against the control: does the interval of the gain leave zero out?
    p: float | None = None  # of no gain, two-sided
    p_holm: float | None = None  # the same, corrected for the number of cells
    coverage: float = 0.0


@dataclass(frozen=True)
class MatrixRow:
    """A method over all tracks; ``cells`` has None where it has no run at all."""

    label: str
    control: bool
    cells: tuple[Cell | None, ...]
    coverage: float  # seeds that ended over seeds expected, on the tracks that apply
    mean_rank: float | None = None  # over the tracks that apply; None below the line
    mean_gap: float | None = None  # over the tracks whose gap is defined; None where a run failed or is missing
    gaps: int = 0  # tracks that the mean gap is taken over
    posterior: Posterior | None = None  # of being better than the control, by the gaps recovered

    @property
    def complete(self) -> bool:
        """Whether every track that applies has every seed; the others are listed below the line."""
        return self.coverage == 1.0

    def count(self, outcome: Outcome) -> int:
        """Count the tracks that were won, tied or lost against the control."""
        return sum(cell is not None and cell.outcome == outcome for cell in self.cells)


@dataclass(frozen=True)
class Matrix:
    """Methods against the tracks of one budget and one labelled share; complete rows first, best mean rank first."""

    title: str
    tracks: tuple[Track, ...]
    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    left_out: tuple[str, ...]  # boards that take no part, and why, a sentence each


def matrices(boards: Sequence[Board]) -> list[Matrix]:
    """Make one matrix a protocol, budget and labelled share, of those that have at least two tracks to compare.

    A protocol that shows no more than that things run has none: methods are not ranked across tasks by it.
    """
    groups: dict[tuple[bool, str, str, Fraction], list[Board]] = defaultdict(list)
    for board in boards:
        track = board.track
        if track.proves is not False:
            groups[not track.proves, track.protocol, track.budget_kind, track.share].append(board)
    order = sorted(groups, key=lambda key: (*key[:3], -key[3]))  # protocols that compare first
    return [_matrix(groups[key], *key) for key in order if sum(not board.excluded for board in groups[key]) > 1]


def _matrix(group: Sequence[Board], unproven: bool, protocol: str, budget: str, share: Fraction) -> Matrix:
    boards = [board for board in group if not board.excluded]
    tracks = tuple(board.track for board in boards)
    named = [f"protocol {protocol}" + (", which is not known to compare" if unproven else "")] if protocol else []
    by_label = by_name([[row for row in board.rows if not _aside(row, board)] for board in boards])
    labels = sorted({label for rows in by_label for label in rows})
    raw = {label: [_cell(rows.get(label)) for rows in by_label] for label in labels}
    coverage = {label: _coverage(cells) for label, cells in raw.items()}
    complete = {label for label in labels if coverage[label] == 1.0}
    for index, (board, entries) in enumerate(zip(boards, by_label, strict=True)):
        for label, rank in _ranks(board, {label: row for label, row in entries.items() if label in complete}).items():
            raw[label][index] = replace(_given(raw[label][index]), rank=rank)
    _correct(raw)
    tasks = [track.task for track in tracks]
    rows = [_row(label, by_label, tuple(raw[label]), coverage[label], tasks) for label in labels]
    return Matrix(
        title=", ".join([*named, BUDGETS.get(budget, budget), f"{'all' if share == 1 else share} labels"]),
        tracks=tracks,
        columns=_titles(tracks),
        rows=tuple(_sorted(rows)),
        left_out=tuple(f"{board.track.title} is left out: {board.excluded}" for board in group if board.excluded),
    )


def _aside(row: Row, board: Board) -> bool:
    """Say whether a row stays on its board: a placebo, or another strength beside the method as it comes."""
    method = row.entry.records[0].method
    if method.control:
        return not row.entry.alone
    own = [each.entry.records[0].method for each in board.rows if not each.entry.strengthened]
    return row.entry.strengthened and (method.name, method.variant) in {(each.name, each.variant) for each in own}


def _given(cell: Cell | None) -> Cell:
    return cell if cell is not None else Cell("missing")


def _cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    return Cell(
        status=row.entry.status,
        gap=row.gap,
        gain=row.gain,
        outcome=_outcome(row),
        p=row.p,
        coverage=row.coverage,
    )


def _outcome(row: Row) -> Outcome | None:
    """Say whether the interval of the gain lies above zero, below it or around it; a crash is a loss."""
    if row.entry.failed:
        return "loss"
    if row.gain is None or row.gain.side is None:
        return None
    return SIDES[row.gain.side]


def _coverage(cells: Sequence[Cell | None]) -> float:
    """Average the coverage over the tracks that apply; a track without any run counts as none."""
    applies = [cell for cell in cells if cell is None or cell.status != "not_applicable"]
    return sum(cell.coverage for cell in applies if cell) / len(applies) if applies else 0.0


def _ranks(board: Board, rows: dict[str, Row]) -> dict[str, float]:
    """Rank the complete rows of one track."""
    scores = {label: row.score.mean for label, row in rows.items() if row.entry.status == "ok" and row.score}
    failed = [label for label, row in rows.items() if row.entry.failed]
    return average_ranks(scores, failed, board.track.higher_is_better)


def _correct(raw: dict[str, list[Cell | None]]) -> None:
    """Correct the p-values of all cells for their number."""
    places = [(label, i) for label, cells in raw.items() for i, cell in enumerate(cells) if cell and cell.p is not None]
    tested = [_given(raw[label][i]) for label, i in places]
    for (label, i), cell, p in zip(places, tested, holm([cell.p or 0.0 for cell in tested]), strict=True):
        raw[label][i] = replace(cell, p_holm=p)


def _row(
    label: str,
    by_label: Sequence[dict[str, Row]],
    cells: tuple[Cell | None, ...],
    coverage: float,
    tasks: Sequence[str],
) -> MatrixRow:
    ranks = [cell.rank for cell in cells if cell and cell.rank is not None]
    gaps = [cell.gap.mean for cell in cells if cell and cell.gap]
    of_task: dict[str, list[float]] = defaultdict(list)
    for cell, task in zip(cells, tasks, strict=True):
        if cell and cell.gap:
            of_task[task].append(cell.gap.mean)
    means = [sum(found) / len(found) for found in of_task.values()]
    whole = all(cell is not None and cell.status in ("ok", "not_applicable") for cell in cells)
    return MatrixRow(
        label=label,
        control=any(rows[label].entry.control for rows in by_label if label in rows),
        cells=cells,
        coverage=coverage,
        mean_rank=sum(ranks) / len(ranks) if ranks and coverage == 1.0 else None,
        mean_gap=sum(gaps) / len(gaps) if gaps and whole else None,
        gaps=len(gaps),
        posterior=signed_rank(means) if whole and len(means) >= FEWEST_TASKS else None,
    )


def _sorted(rows: Sequence[MatrixRow]) -> list[MatrixRow]:
    return sorted(rows, key=lambda row: (not row.complete, row.mean_rank or 0.0, -row.coverage, row.label))


def _titles(tracks: Sequence[Track]) -> tuple[str, ...]:
    """Name the columns: by task, and by as much more as it takes to tell them apart."""
    parts: list[Callable[[Track], str]] = [
        lambda track: track.title,
        lambda track: track.dataset,
        lambda track: track.student,
        lambda track: track.budget,
        lambda track: short(track.id),
    ]
    titles = [parts[0](track) for track in tracks]
    for part in parts[1:]:
        count = Counter(titles)
        named = zip(titles, tracks, strict=True)
        titles = [f"{title}, {part(track)}" if count[title] > 1 else title for title, track in named]
    return tuple(titles)
