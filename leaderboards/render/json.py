"""Boards as JSON: everything that the other formats show, unrounded, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from leaderboards.board import Board, Row
from leaderboards.leaderboard import Leaderboard
from leaderboards.matrix import Matrix, Outcome
from leaderboards.values import finite

OUTCOMES: tuple[Outcome, ...] = ("win", "tie", "loss")
FORMAT = 1  # version of this layout


def render(page: Leaderboard) -> str:
    """Write a leaderboard as strict JSON, keys in a fixed order, one final newline."""
    content = {
        "format_version": FORMAT,
        "about": page.about.model_dump(mode="json"),
        "interval": "score: Student's t over seeds, 95 %; gain: over what interval_over names, 95 %; "
        "gap recovered: Fieller over seeds, the teachers' mean taken as exact, 95 %",
        "matrices": [_matrix(matrix) for matrix in page.matrices],
        "boards": [board_data(board) for board in page.boards],
        "sources": [asdict(credit) for credit in page.credits],
        "faults": page.faults,
    }
    return json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def board_data(board: Board) -> dict[str, Any]:
    """Return a board as plain values."""
    return {
        "track": asdict(board.track),
        "seeds": board.seeds,
        "metrics": dict(board.metrics),
        "control": board.control,
        "rows": [_row(row) for row in board.rows],
        "references": [asdict(teacher) for teacher in board.references],
        "excluded": board.excluded,
        "notes": board.notes,
    }


def _matrix(matrix: Matrix) -> dict[str, Any]:
    return {
        "title": matrix.title,
        "columns": [
            {"title": title, "track_id": track.id} for title, track in zip(matrix.columns, matrix.tracks, strict=True)
        ],
        "rows": [
            asdict(row) | {"complete": row.complete} | {outcome: row.count(outcome) for outcome in OUTCOMES}
            for row in matrix.rows
        ],
        "left_out": matrix.left_out,
    }


def _row(row: Row) -> dict[str, Any]:
    entry, method = row.entry, row.entry.records[0].method
    return {
        "entry_id": entry.id,
        "label": entry.label,
        "method": method.name,
        "options": method.options,
        "package": method.package,
        "version": method.version,
        "control": entry.control,
        "rank": row.rank,
        "rank_bounds": row.bounds,
        "group": row.group,
        "status": entry.status,
        "reasons": entry.reasons,
        "coverage": row.coverage,
        "score": asdict(row.score) if row.score else None,
        "gain": asdict(row.gain) if row.gain else None,
        "p": row.p,
        "p_holm": row.p_holm,
        "interval_over": row.over or None,
        "gap_recovered": asdict(row.gap) if row.gap else None,
        "metrics": {name: asdict(metric) for name, metric in row.metrics.items()},
        "costs": asdict(entry.costs),
        "train_ratio": row.train_ratio,
        "loudness": entry.loudness,
        "verification": entry.level,
        "reproduced": entry.reproduced,
        "runs": [
            {"run_id": run.run_id, "seed": run.seed, "status": run.status, "score": run.score} for run in entry.records
        ],
    }
