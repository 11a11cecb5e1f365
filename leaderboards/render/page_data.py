"""What the scripts of the HTML page draw from: numbers of charts, panels and provenance, as plain values."""

from __future__ import annotations

import base64
from collections import defaultdict
from typing import Any

from leaderboards.attachments import Attachment
from leaderboards.board import Board, Row
from leaderboards.leaderboard import Leaderboard
from leaderboards.render import text
from leaderboards.render.origins import origins
from leaderboards.track import Reference, Track


def payload(page: Leaderboard) -> dict[str, Any]:
    """Return the data of all boards, in their order."""
    scenes = list(dict.fromkeys(scene(board.track) for board in page.boards))
    return {"boards": [_board(page, board, scenes.index(scene(board.track))) for board in page.boards]}


def scene(track: Track) -> tuple[Any, ...]:
    """Return what boards share whose scores may stand in one chart: the same test of the same labels."""
    return (track.task, track.dataset, track.labeled, track.labeled_count, track.labeled_total, track.primary)


def _board(page: Leaderboard, board: Board, index: int) -> dict[str, Any]:
    common, entries = origins(board)
    track = board.track
    return {
        "scene": index,
        "track": track.id,
        "name": text.clean(f"{track.student}, {track.budget}"),
        "metric": text.clean(track.primary),
        "higher": track.higher_is_better,
        "control": board.control,
        "rows": [_row(page, row) for row in board.rows],
        "references": [_reference(teacher) for teacher in board.references],
        "panels": _panels(page, board),
        "facts": common,
        "origins": [{"shared": entries[row.entry.id].shared, "runs": entries[row.entry.id].runs} for row in board.rows],
    }


def _row(page: Leaderboard, row: Row) -> dict[str, Any]:
    entry, costs = row.entry, row.entry.costs
    attached = _attached(page, row)
    return {
        "id": entry.id,
        "label": text.clean(entry.label),
        "control": entry.control,
        "status": entry.status,
        "reasons": [text.clean(reason) for reason in entry.reasons],
        "scores": [[seed, score] for seed, score in entry.scores.items()],
        "mean": row.score.mean if row.score else None,
        "low": row.score.low if row.score else None,
        "high": row.score.high if row.score else None,
        "cost": {
            "training": costs.train_s,
            "macs": costs.macs,
            "latency": costs.latency_ms_p50,
            "params": costs.params,
            "memory": costs.peak_mem_mb,
        },
        "curves": dict(attached.curves) if attached else {},
    }


def _reference(teacher: Reference) -> dict[str, Any]:
    return {
        "label": text.clean(teacher.label),
        "main": teacher.main,
        "mean": teacher.score,
        "cost": {"macs": teacher.macs, "params": teacher.params},
    }


def _attached(page: Leaderboard, row: Row) -> Attachment | None:
    return next((page.attachments[run.run_id] for run in row.entry.records if run.run_id in page.attachments), None)


def _panels(page: Leaderboard, board: Board) -> list[dict[str, Any]]:
    """Return each different picture once, with the rows that it belongs to: the runs of a cohort may share one."""
    labels: dict[bytes, list[str]] = defaultdict(list)
    for row in board.rows:
        attached = _attached(page, row)
        if attached is not None and attached.panel is not None:
            labels[attached.panel].append(text.clean(row.entry.label))
    return [
        {"image": f"data:image/png;base64,{base64.b64encode(panel).decode('ascii')}", "label": ", ".join(names)}
        for panel, names in labels.items()
    ]
