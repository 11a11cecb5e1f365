"""Boards as one CSV table: a line an entry or teacher, numbers unrounded, units in the header."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from leaderboards import trivial
from leaderboards.board import Board, Row
from leaderboards.leaderboard import Leaderboard
from leaderboards.render import text
from leaderboards.statistics import Estimate
from leaderboards.track import Reference

FORMULA = ("=", "+", "-", "@")  # what spreadsheets take for the start of a formula
FIXED = [
    *("task", "dataset", "labels", "labeled_count", "labeled_total", "student", "budget", "protocol"),
    *("track_id", "setting_id", "rank", "rank_low", "rank_high", "group"),
    *("kind", "method", "entry_id", "status", "reason"),
    *("seeds", "seeds_expected", "coverage"),
    *("primary_metric", "higher_is_better", "mean", "std", "low", "high"),
    *("gain", "gain_low", "gain_high", "p", "p_holm", "interval_over", "gap_recovered", "gap_low", "gap_high"),
    *("params", "macs", "latency_ms_p50", "latency_ms_p95", "images_per_s", "activation_mb"),
    *("train_s", "train_ratio", "peak_mem_mb", "loudness"),
    *("verification", "reproduced", "package", "version", "caption"),
]


def render(page: Leaderboard) -> str:
    """Write all boards as one table; what a line lacks is empty."""
    metrics = dict.fromkeys(name for board in page.boards for name in (board.track.primary, *board.metrics))
    keys = [*FIXED, *(f"{part} {name}" for name in metrics for part in ("mean", "std"))]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_safe(key) for key in keys])
    for board in page.boards:
        facts = _facts(board) | {"caption": page.about.title}
        for line in (
            *(_row(board, row) for row in board.rows),
            *(_reference(board, teacher) for teacher in board.references),
        ):
            filled = facts | line
            writer.writerow([_safe(filled.get(key)) for key in keys])
    return out.getvalue()


def _safe(value: Any) -> Any:
    """Keep text from being taken for a formula; numbers are written as they are, None as nothing."""
    if not isinstance(value, str):
        return value
    cleaned = text.clean(value)
    return f"'{cleaned}" if cleaned.startswith(FORMULA) else cleaned


def _facts(board: Board) -> dict[str, Any]:
    track = board.track
    return {
        "task": track.task,
        "dataset": track.dataset,
        "labels": track.labeled,
        "labeled_count": track.labeled_count,
        "labeled_total": track.labeled_total,
        "student": track.student,
        "budget": track.budget,
        "protocol": track.protocol,
        "track_id": track.id,
        "setting_id": track.setting,
        "primary_metric": track.primary,
        "higher_is_better": track.higher_is_better,
    }


def _row(board: Board, row: Row) -> dict[str, Any]:
    entry, costs, method = row.entry, row.entry.costs, row.entry.records[0].method
    return {
        "rank": row.rank,
        "rank_low": row.bounds[0] if row.bounds else None,
        "rank_high": row.bounds[1] if row.bounds else None,
        "group": row.group,
        "kind": "control" if entry.control else "method",
        "method": entry.label,
        "entry_id": entry.id,
        "status": entry.status,
        "reason": "; ".join(entry.reasons),
        "seeds": len(entry.scores),
        "seeds_expected": len(board.seeds),
        "coverage": row.coverage,
        **_bounds(row.score, "mean", "low", "high"),
        "std": row.score.std if row.score else None,
        **_bounds(row.gain, "gain", "gain_low", "gain_high"),
        "p": row.p,
        "p_holm": row.p_holm,
        "interval_over": row.over or None,
        **_bounds(row.gap, "gap_recovered", "gap_low", "gap_high"),
        "params": costs.params,
        "macs": costs.macs,
        "latency_ms_p50": costs.latency_ms_p50,
        "latency_ms_p95": costs.latency_ms_p95,
        "images_per_s": costs.images_per_s,
        "activation_mb": costs.activation_mb,
        "train_s": costs.train_s,
        "train_ratio": row.train_ratio,
        "peak_mem_mb": costs.peak_mem_mb,
        "loudness": entry.loudness,
        "verification": entry.level,
        "reproduced": entry.reproduced,
        "package": method.package,
        "version": method.version,
        **_metrics({**row.metrics, board.track.primary: row.score}),
    }


def _bounds(value: Estimate | None, mean: str, low: str, high: str) -> dict[str, Any]:
    return {} if value is None else {mean: value.mean, low: value.low, high: value.high}


def _metrics(metrics: Mapping[str, Estimate | None]) -> dict[str, Any]:
    given = [(name, value) for name, value in metrics.items() if value is not None]
    return {f"{part} {name}": getattr(value, part) for name, value in given for part in ("mean", "std")}


def _reference(board: Board, teacher: Reference) -> dict[str, Any]:
    scores = {**teacher.metrics, board.track.primary: teacher.score}
    return {
        "kind": "trivial" if teacher.role == trivial.ROLE else "teacher",
        "method": teacher.label,
        "entry_id": teacher.id,
        "mean": teacher.score,
        "params": teacher.params,
        "macs": teacher.macs,
        "latency_ms_p50": teacher.latency_ms_p50,
        "images_per_s": teacher.images_per_s,
        "activation_mb": teacher.activation_mb,
        **{f"mean {name}": value for name, value in scores.items()},
    }
