"""Verification: what a second measurement says of a record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from leaderboards.errors import RecordError
from leaderboards.record import Record
from leaderboards.record_outcome import Verification
from leaderboards.values import Level

TOLERANCE = 1e-6  # relative to the larger of the score's magnitude and 1


def verified(
    record: Record,
    metrics: Mapping[str, float | None],
    level: Level,
    by: str,
    on: datetime,
    tolerance: float = TOLERANCE,
) -> Record:
    """Return the record with the outcome of a check: ``metrics`` is what was measured again, on the test split.

    The record counts as reproduced where every metric that both have agrees within ``tolerance`` (relative to the
    larger of the recorded magnitude and 1; undefined agrees with undefined). Raises RecordError for a record that is
    not ok, and where its primary metric was not measured.
    """
    primary = record.scores.primary_metric
    if record.status != "ok":
        raise RecordError(f"run {record.run_id} is {record.status}: there is no score to verify")
    if primary not in metrics:
        raise RecordError(
            f"run {record.run_id}: {primary} was not measured again; found {', '.join(metrics) or 'nothing'}"
        )
    shared = record.scores.metrics.keys() & metrics.keys()
    agreed = all(_agree(record.scores.metrics[name].value, metrics[name], tolerance) for name in shared)
    check = Verification(level=level, reproduced=agreed, by=by, on=on, tolerance=tolerance, metrics=dict(metrics))
    return record.model_copy(update={"verification": check})


def _agree(recorded: float | None, measured: float | None, tolerance: float) -> bool:
    """Say whether two measurements agree."""
    if recorded is None or measured is None or measured != measured:
        return recorded is None and (measured is None or measured != measured)
    return abs(recorded - measured) <= tolerance * max(1.0, abs(recorded))
