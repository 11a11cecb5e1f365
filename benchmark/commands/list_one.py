"""``benchmark list methods NAME``: everything about one task, method or dataset."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmark.config import catalog
from benchmark.config.strength import SHARED, STRENGTH
from benchmark.config.terms import TERMS
from methods.base import Method
from tasks import single_file
from tasks.base import Dataset, Task, datasets
from tasks.registry import Registry, options

PREFIXES = {"network": "student.options"}  # of options, where it is not the kind's own key


def show(key: str, name: str, console: Console) -> None:
    """Print what is known of one entry; it may be called as papers call it, or be a file.

    ``key`` is the configuration's word for its kind (``method``). Raises InputError.
    """
    registry = catalog.REGISTRIES[key]
    if single_file.is_reference(name):
        name, _ = catalog.enter_file(name, key)
    for entry in [name] if name in registry else _meant(name, registry) or [name]:
        _show_one(key, registry, registry[entry], console)


def _meant(name: str, registry: Registry[Any]) -> list[str]:
    """Find the entries that papers call by a name."""
    return [
        key
        for key, cls in sorted(registry.items())
        if name.lower() in map(str.lower, (*getattr(cls, "also_called", ()), *getattr(cls, "elsewhere", {})))
    ]


def _show_one(key: str, registry: Registry[Any], cls: type[Any], console: Console) -> None:
    console.print(f"[bold]{key}={escape(cls.name)}[/]  {escape(getattr(cls, 'title', ''))}", highlight=False)
    facts = Table(box=None, show_header=False, pad_edge=False)
    for label, value in (*_facts(cls), ("origin", _origin(registry, cls.name))):
        if value:
            facts.add_row(label, escape(value))
    console.print(facts)
    prefix = f"methods.{cls.name}" if issubclass(cls, Method) else PREFIXES.get(key, key)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in (f"{prefix}.", "type", "default", "what it is"):
        table.add_column(heading, no_wrap=heading.endswith("."), overflow="fold")
    meanings = meanings_of(cls)
    for name, parameter in options(cls).items():
        row = (name, type_of(parameter.annotation), default_of(parameter), meanings.get(name, ""))
        table.add_row(*map(escape, row))
    if issubclass(cls, Method) and cls.needs.teachers:
        table.add_row(STRENGTH, "float", "as tuned, or 1", SHARED[STRENGTH])
        table.add_row(TERMS, "list", "all", SHARED[TERMS])
    console.print("", table if table.row_count else "no options", sep="\n", highlight=False)
    if bibtex := inspect.cleandoc(getattr(cls, "bibtex", "")):
        console.print("", escape(bibtex), sep="\n", highlight=False)


def _facts(cls: type[Any]) -> Iterator[tuple[str, str]]:
    yield "what", summary(cls)
    if issubclass(cls, Method):
        yield "paper", cls.paper
        yield "license", cls.license
        yield "needs", needs_of(cls)
        yield "also called", ", ".join(cls.also_called)
        yield "the name", "\n".join(clashes(cls))
    elif issubclass(cls, Task):
        yield "learns from", cls.annotation
        yield "ranked by", primary(cls)
        yield "also scored", ", ".join(list(cls.metrics)[1:])
        yield "teachers", ", ".join(f"{role}: {spec}" for role, spec in cls.teachers.items())
        serving = sorted(name for name, dataset in datasets.items() if cls.annotation in dataset.provides)
        yield "datasets", ", ".join(serving)
    elif issubclass(cls, Dataset):
        yield "annotation", ", ".join(sorted(cls.provides))
        yield "license", cls.license
    yield "reference", getattr(cls, "reference", "")


def summary(cls: type[Any]) -> str:
    """The first paragraph of a class's docstring, in one line."""
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def _origin(registry: Registry[Any], name: str) -> str:
    origin = registry.origin(name)
    return f"{origin}, sha256 {origin.file_sha256[:12]}" if origin.file_sha256 else str(origin)


def needs_of(cls: type[Method]) -> str:
    """Say in words what a method must be given, and whether it trains a critic."""
    roles = cls.needs.teachers
    teachers = f"teachers: {', '.join(roles)}" if len(roles) > 1 else "a teacher" if roles else ""
    unlabeled = "unlabeled images" if cls.needs.unlabeled else ""
    critic = "trains a critic" if cls.critic_loss is not Method.critic_loss else ""
    return "; ".join(filter(None, (teachers, unlabeled, critic))) or "-"


def primary(cls: type[Task]) -> str:
    """Name the metric that ranks, and its direction."""
    name, higher = next(iter(cls.metrics.items()))
    return f"{name}, {'higher' if higher else 'lower'} is better"


def clashes(cls: type[Any]) -> Iterator[str]:
    """Say of each name that several papers use which of them this is and which it is not."""
    for name, meaning in getattr(cls, "elsewhere", {}).items():
        yield f"{name}: here {cls.name} ({cls.paper}); elsewhere {meaning}"


def type_of(annotation: Any) -> str:
    """Write the type of an option as a person would: the values of a literal one, no module names."""
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(map(str, typing.get_args(annotation)))
    return "" if annotation is inspect.Parameter.empty else re.sub(r"\b\w+\.", "", inspect.formatannotation(annotation))


def default_of(parameter: inspect.Parameter) -> str:
    """Write a default as it is given on the command line."""
    value = parameter.default
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def meanings_of(cls: type[Any]) -> dict[str, str]:
    """Read what the arguments of a constructor are from the ``Args`` of the class's docstring."""
    text = inspect.getdoc(cls) or ""
    meanings: dict[str, str] = {}
    name = None
    for line in text.partition("\nArgs:\n")[2].splitlines():
        if match := re.match(r" {4}(\w+): (.*)", line):
            name = match[1]
            meanings[name] = match[2]
        elif line.startswith(" " * 8) and name:
            meanings[name] += f" {line.strip()}"
        elif line.strip():
            break
    return {name: meaning.replace("``", "") for name, meaning in meanings.items()}
