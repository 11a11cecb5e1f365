"""The table that ends a run."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaderboards.record import Record


def show(records: Sequence[Record], console: Console) -> None:
    """Print score, teacher, gap recovered and costs of each run."""
    if not records:
        return
    first = records[0]
    control = next((record.score for record in records if record.method.control and record.status == "ok"), None)
    teacher = first.teachers[0].own_score if first.teachers else None
    labeled = first.dataset.labeled
    images = f"{labeled.count} of {labeled.total} images labeled"
    title = f"{first.task.name} on {first.dataset.name}, {images}, seed {first.seed}"
    table = Table(title=escape(title), title_justify="left")
    table.add_column("method")
    for heading in (first.scores.primary_metric, "teacher", "gap recovered", "params", "MACs", "seconds"):
        table.add_column(heading, justify="right")
    for record in records:
        gap = None if record.method.control else gap_recovered(record.score, control, teacher, _higher(record))
        table.add_row(
            escape(record.method.name),
            number(record.score, 4) if record.status == "ok" else record.status,
            number(teacher, 4),
            "-" if gap is None else f"{100 * gap:.0f} %",
            quantity(record.inference.params),
            quantity(record.inference.macs),
            number(record.training.wall_s, 1),
        )
    console.print(table)
    for record in records:
        if record.status != "ok":
            console.print(escape(f"{record.method.name} {record.status}: {record.status_reason}"), highlight=False)


def _higher(record: Record) -> bool:
    score = record.scores.metrics.get(record.scores.primary_metric)
    return score is None or score.higher_is_better


def gap_recovered(score: float | None, control: float | None, teacher: float | None, higher: bool) -> float | None:
    """Return ``(score - control) / (teacher - control)`` of one seed; None where the teacher is not ahead."""
    if score is None or control is None or teacher is None or (teacher > control) is not higher or teacher == control:
        return None
    return (score - control) / (teacher - control)


def number(value: float | None, digits: int) -> str:
    """Show a number, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def quantity(value: int | None) -> str:
    """Show a count with a unit: 442 k, 1.02 M, 17.9 G."""
    if value is None:
        return "-"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return str(value)
