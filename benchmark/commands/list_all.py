"""``benchmark list``: what there is to choose from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmark.commands import list_one
from benchmark.commands.list_one import needs_of
from benchmark.config import catalog, compose
from tasks.base import Dataset, NetworkSpec, tasks
from tasks.errors import InputError, nearest
from tasks.registry import Registry

KEYS = {"tasks": "task", "methods": "method", "data": "data", "networks": "network"}  # what is listed -> its kind
Column = tuple[str, Callable[[Any], str]]


def show(what: str, name: str | None, home: Path, console: Console) -> None:
    """Print a table of tasks, methods, data, networks or teachers, or all about one; raises InputError."""
    if what not in (*KEYS, "teachers"):
        raise InputError(f"cannot list '{what}'{nearest(what, [*KEYS, 'teachers'])}")
    compose.register()
    if what == "teachers":
        if name is not None:
            raise InputError(f"list teachers takes no name; {home}/teachers/{name}/teacher.json says all of one")
        _teachers(home, console)
    elif name is None:
        _overview(what, catalog.REGISTRIES[KEYS[what]], console)
    else:
        list_one.show(KEYS[what], name, console)


def print_names(what: str, name: str | None) -> None:
    """Print the bare names of tasks, methods, data or networks, one a line, for scripts; raises InputError."""
    if what not in KEYS or name is not None:
        raise InputError(
            f"--plain lists names: expected {', '.join(KEYS)}, found {' '.join(filter(None, (what, name)))}"
        )
    catalog.load()
    print(*sorted(catalog.REGISTRIES[KEYS[what]]), sep="\n")


def _columns(what: str) -> Sequence[Column]:
    columns: Mapping[str, Sequence[Column]] = {
        "methods": [("paper", lambda cls: cls.paper), ("needs", needs_of)],
        "tasks": [("learns from", lambda cls: cls.annotation), ("ranked by", list_one.primary)],
        "data": [
            ("annotation", lambda cls: ", ".join(sorted(cls.provides))),
            ("tasks", lambda cls: ", ".join(_tasks_of(cls))),
        ],
        "networks": [("what", list_one.summary)],
    }
    return columns[what]


def _tasks_of(dataset: type[Dataset]) -> Iterator[str]:
    return (name for name, task in sorted(tasks.items()) if task.annotation in dataset.provides)


def _overview(what: str, registry: Registry[Any], console: Console) -> None:
    columns: list[Column] = [
        ("name", lambda cls: cls.name),
        ("title", lambda cls: getattr(cls, "title", "")),
        *_columns(what),
    ]
    if any(not registry.origin(name).built_in for name in registry):
        columns.append(("origin", lambda cls: str(registry.origin(cls.name))))
    table = _table(what, [heading for heading, _ in columns])
    for _, cls in sorted(registry.items()):
        table.add_row(*(escape(fill(cls)) for _, fill in columns))
    console.print(table)
    for name, error in registry.broken.items():
        console.print(f"[red]plugin '{escape(name)}' failed:[/] {escape(error)}", highlight=False)
    if clashes := [line for cls in registry.values() for line in list_one.clashes(cls)]:
        names = Table(box=None, show_header=False, pad_edge=False)
        for line in sorted(clashes):
            names.add_row(*map(escape, line.split(": ", 1)))
        console.print("\nNames that mean several papers:", names, highlight=False)
    console.print(f"\nOptions and origin of one: benchmark list {what} NAME", highlight=False)


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in ("name", "id"))
    return table


def _teachers(home: Path, console: Console) -> None:
    table = _table(f"teachers in {home}", ("id", "trained for", "network", "steps", "score"))
    faults = []
    for path in sorted(home.glob("teachers/*/teacher.json")):
        try:
            table.add_row(*map(escape, _teacher(json.loads(path.read_text()))))
        except (OSError, ValueError, KeyError, TypeError) as error:
            faults.append(f"{path} cannot be read ({type(error).__name__}: {error}); delete it to train that teacher")
    console.print(table)
    for fault in faults:
        console.print(f"[red]{escape(fault)}[/]", highlight=False)


def _teacher(facts: Mapping[str, Any]) -> tuple[str, ...]:
    network, score = facts["network"], facts["metrics"][facts["primary_metric"]]
    return (
        facts["id"],
        f"{facts['task']}, {facts['data']}, {facts['labeled']}",
        f"{NetworkSpec(**network)}, {facts['params']:,}",
        str(facts["steps"]) if facts["trained"] else "checkpoint",
        "-" if score is None else f"{facts['primary_metric']} {score:.4f}",
    )
