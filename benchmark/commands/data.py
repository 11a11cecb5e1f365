"""``benchmark data``: look at a folder, look at a dataset, and check it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmark.config import catalog, compose
from benchmark.config.quoting import word
from benchmark.training.problem import build_dataset
from leaderboards.atomic import atomic_write
from tasks.base import Dataset, datasets, tasks
from tasks.data.preview import contact_sheet
from tasks.datasets.reading.faults import condensed
from tasks.datasets.reading.inspection import Finding, findings
from tasks.datasets.reading.summary import summary
from tasks.datasets.reading.tree import files_below, kinds_of
from tasks.drawing import encode_png
from tasks.errors import InputError


def preview(words: Sequence[str], out: Path, console: Console) -> None:
    """Write the contact sheet of a dataset."""
    dataset = build_dataset(compose.load(words).data)
    atomic_write(out, encode_png(contact_sheet(dataset)))
    console.print(escape(str(out)), highlight=False)


def verify(words: Sequence[str], console: Console) -> int:
    """Read a dataset whole; print the faults, like ones counted, and return 2, or a summary and return 0."""
    dataset = build_dataset(compose.load(words).data)
    faults = dataset.verify()
    for fault in condensed(faults):
        console.print(f"[red]fault:[/] {escape(fault)}", highlight=False)
    if faults:
        console.print(f"{len(faults)} faults in {escape(dataset.title)}", highlight=False)
        return 2
    console.print(_table(dataset.title, dataset))
    return 0


def inspect(path: Path, console: Console) -> None:
    """Say what a folder holds, which datasets read it, and with which command, or what is missing.

    Raises InputError where nothing reads it.
    """
    if not path.is_dir():
        raise InputError(f"{path}: expected a folder, found {'a file' if path.exists() else 'no such folder'}")
    catalog.load()
    files = files_below(path)
    console.print(f"{escape(str(path))}: {len(files)} files, {escape(kinds_of(files))}", highlight=False)
    ways = list(findings(path, datasets))
    sound = [way for way in ways if way.sound]
    if not sound:
        raise InputError("\n".join(f"data={way.name}: {way.missing}" for way in ways))
    for way in sound:
        assert way.dataset is not None
        if way is sound[0]:
            console.print(_table(f"{way.name}: {way.dataset.title}", way.dataset))
            console.print("to use it:", highlight=False)
        elif way is sound[1]:
            console.print("it can be read in other ways too:", highlight=False)
        for command in commands(path, way):
            console.print(f"  {escape(command)}", highlight=False)
    for way in ways:
        if not way.sound:
            console.print(
                f"[yellow]data={way.name}[/] {_told(way.options)}would need: {escape(way.missing)}", highlight=False
            )


def commands(path: Path, finding: Finding) -> list[str]:
    """Write the command that runs each task on what was found."""
    assert finding.dataset is not None
    kinds = finding.dataset.provides
    fitting = [name for name, task in tasks.items() if task.annotation in kinds]
    words = [f"data={finding.name}", word("data.root", str(path))]
    words += [word(f"data.{key}", value) for key, value in finding.options.items()]
    return [shlex.join(["benchmark", "run", f"task={name}", *words]) for name in fitting]


def _told(options: Mapping[str, Any]) -> str:
    return "".join(f"{escape(word(f'data.{key}', value))} " for key, value in options.items())


def _table(title: str, dataset: Dataset) -> Table:
    table = Table(title=escape(title), title_justify="left", show_header=False)
    for key, value in summary(dataset).items():
        table.add_row(escape(key), escape(str(value)))
    return table
