"""``benchmark data``: look at a dataset, and check it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmark.config import compose
from benchmark.training.problem import build_dataset
from leaderboards.atomic import atomic_write
from tasks.data.preview import contact_sheet
from tasks.datasets.reading.summary import summary
from tasks.drawing import encode_png


def preview(words: Sequence[str], out: Path, console: Console) -> None:
    """Write the contact sheet of a dataset."""
    dataset = build_dataset(compose.load(words).data)
    atomic_write(out, encode_png(contact_sheet(dataset)))
    console.print(escape(str(out)), highlight=False)


def verify(words: Sequence[str], console: Console) -> int:
    """Read a dataset whole; print every fault and return 2, or a summary and return 0."""
    dataset = build_dataset(compose.load(words).data)
    faults = dataset.verify()
    for fault in faults:
        console.print(f"[red]fault:[/] {escape(fault)}", highlight=False)
    if faults:
        console.print(f"{len(faults)} faults in {escape(dataset.title)}", highlight=False)
        return 2
    table = Table(title=escape(dataset.title), title_justify="left", show_header=False)
    for key, value in summary(dataset).items():
        table.add_row(escape(key), escape(str(value)))
    console.print(table)
    return 0
