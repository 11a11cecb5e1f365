"""``benchmark protocol check``: records against what a protocol promises."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from benchmark.commands.faults import show_faults
from benchmark.config import catalog, protocols
from benchmark.config.schema import Protocol
from leaderboards import store
from leaderboards.criteria import Asked, Criterion, evidence, judge
from tasks.base import tasks as registry
from tasks.errors import InputError, nearest

SIGNS = {True: "[green]met[/]    ", False: "[red]not met[/]", None: "[yellow]unknown[/]"}


def check(name: str, paths: Sequence[Path], tasks: Sequence[str], console: Console) -> int:
    """Print the criteria of every task, with their figures; return 1 where one is not met, or not known.

    Raises InputError for an unknown protocol or task, RecordError where a path does not exist.
    """
    protocol = protocols.read(name)
    chosen = choose(protocol, tasks)
    records, faults = store.read(paths)
    show_faults(faults, console)
    said = evidence(records, name)
    judged = {task: judge(said[task], asked(protocol, task)) for task in chosen if task in said}
    for task in chosen:
        console.print(escape(f"{task}: {registry[task].title}"), style="bold", highlight=False)
        if task not in judged:
            console.print(f"  {SIGNS[None]}  no finished run of protocol {escape(name)}", highlight=False)
        for criterion in judged.get(task, ()):
            console.print(_line(criterion), highlight=False)
    met = [task for task in chosen if task in judged and all(criterion.met for criterion in judged[task])]
    console.print(f"{len(met)} of {len(chosen)} tasks meet all criteria", highlight=False)
    return 0 if len(met) == len(chosen) else 1


def asked(protocol: Protocol, task: str) -> Asked:
    """Say how many seeds and teachers a protocol asks for."""
    return Asked(len(protocol.seeds), protocols.fixed(protocol, registry[task]).teacher.seeds)


def choose(protocol: Protocol, wanted: Sequence[str]) -> list[str]:
    """List the tasks that are meant: those asked for, else those that come with the suite or that the protocol names.

    Raises InputError for one that is not registered.
    """
    catalog.load()
    for task in (*wanted, *protocol.tasks):
        if task not in registry:
            raise InputError(f"unknown task '{task}'{nearest(task, registry)}")
    built_in = [task for task in registry if registry.origin(task).built_in]
    return list(wanted) or [*built_in, *(task for task in protocol.tasks if task not in built_in)]


def _line(criterion: Criterion) -> str:
    return f"  {SIGNS[criterion.met]}  {escape(criterion.name)}: {escape(criterion.figures)}"
