"""``benchmark list``: what there is to choose from."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmark import catalog
from methods.base import methods
from tasks.base import datasets, tasks
from tasks.errors import InputError, nearest
from tasks.registry import Registry, options


def show(what: str, home: Path, console: Console) -> None:
    """Print a table of tasks, methods, data or teachers; raises InputError for anything else."""
    kinds: dict[str, Callable[[], Table]] = {
        "tasks": lambda: _registered("tasks", tasks, "annotation"),
        "methods": lambda: _registered("methods", methods, "paper"),
        "data": lambda: _registered("data", datasets, "provides"),
        "teachers": lambda: _teachers(home),
    }
    if what not in kinds:
        raise InputError(f"cannot list '{what}'{nearest(what, kinds)}")
    catalog.load()
    console.print(kinds[what]())


def _registered(title: str, registry: Registry[Any], extra: str) -> Table:
    table = Table(title=title, title_justify="left", show_lines=True)
    for heading in ("name", "title", extra, "options", "origin"):
        table.add_column(heading, overflow="fold")
    for name, cls in sorted(registry.items()):
        value = getattr(cls, extra)
        shown = ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)
        table.add_row(
            *(escape(each) for each in (name, cls.title, shown, "\n".join(_options(cls)), str(registry.origin(name))))
        )
    for name, error in registry.broken.items():
        table.add_row(escape(name), f"[red]failed to import: {escape(error)}[/]", "", "", "")
    return table


def _options(cls: type[Any]) -> Iterator[str]:
    for name, parameter in options(cls).items():
        yield f"{name}: {inspect.formatannotation(parameter.annotation)} = {parameter.default!r}"


def _teachers(home: Path) -> Table:
    table = Table(title=f"teachers in {home}", title_justify="left")
    for heading in ("id", "task", "data", "labeled", "network", "params", "steps", "score"):
        table.add_column(heading)
    for path in sorted(home.glob("teachers/*/teacher.json")):
        facts = json.loads(path.read_text())
        network, score = facts["network"], facts["metrics"][facts["primary_metric"]]
        trained = "checkpoint" if not facts["trained"] else str(facts["steps"])
        row = (
            facts["id"],
            facts["task"],
            facts["data"],
            facts["labeled"],
            f"{network['decoder']} {network['encoder']}",
        )
        shown = "-" if score is None else f"{facts['primary_metric']} {score:.4f}"
        table.add_row(*map(escape, row), f"{facts['params']:,}", trained, escape(shown))
    return table
