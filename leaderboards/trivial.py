"""Predictors that look at no image, as rows of a board: who does not beat them has learned nothing that counts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from leaderboards.entry import Entry
from leaderboards.record import Record
from leaderboards.track import Reference, Track

ROLE = "trivial"


def predictors(records: Sequence[Record]) -> tuple[Reference, ...]:
    """List the trivial predictors of a track with their scores; records of one track agree in them."""
    said: dict[str, dict[str, float]] = {}
    for record in sorted(records, key=lambda record: record.run_id):
        for name, metrics in record.trivial.items():
            said.setdefault(name, {metric: value for metric, value in metrics.items() if value is not None})
    primary = records[0].scores.primary_metric
    return tuple(_reference(name, metrics.pop(primary, None), metrics) for name, metrics in sorted(said.items()))


def _reference(name: str, score: float | None, metrics: dict[str, float]) -> Reference:
    return Reference(name, ROLE, f"trivial: {name}", False, score, metrics, None, None, None)


def best(rows: Sequence[Reference], track: Track) -> Reference | None:
    """Return the trivial predictor with the best score; None where there is none."""
    scored = [row for row in rows if row.score is not None]
    sign = 1.0 if track.higher_is_better else -1.0
    return max(scored, key=lambda row: sign * (row.score or 0.0), default=None)


def unbeaten(control: Entry | None, rows: Sequence[Reference], track: Track) -> str:
    """Say which trivial predictor the control does not beat; empty where it beats all, or nothing is known."""
    strongest = best(rows, track)
    if control is None or not control.scores or strongest is None or strongest.score is None:
        return ""
    mean = statistics.fmean(control.scores.values())
    if (mean > strongest.score) if track.higher_is_better else (mean < strongest.score):
        return ""
    return f"the student alone does not beat the predictor '{strongest.id}', which looks at no image"
