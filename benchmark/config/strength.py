"""Strength: one factor on the weights of a method's terms, the option that is tuned alike for every method."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.config import default_strengths
from benchmark.config.ranges import POSITIVE
from benchmark.config.schema import Config, options_schema
from benchmark.config.terms import TERMS
from leaderboards import tuning
from leaderboards.record_parts import Tuning
from methods.base import Method, methods
from tasks.errors import InputError

STRENGTH = "strength"
SHARED = {
    STRENGTH: "factor on the weight of every term but the supervised one",
    TERMS: "names of the terms to keep beside the supervised one",
}


def method_schema(method: type[Method]) -> type:
    """Derive the options of a method: its own, and ``strength`` and ``terms`` where there are teachers to learn from.

    Raises InputError where the method has an option of such a name itself.
    """
    schema = options_schema(method)
    if not method.needs.teachers:
        return schema
    for taken in {option.name for option in dataclasses.fields(schema)} & SHARED.keys():
        raise InputError(
            f"{method.__module__}.{method.__name__}: every method has an option '{taken}', {SHARED[taken]}; give the "
            "method's own option another name"
        )
    kinds: dict[str, Any] = {STRENGTH: float | None, TERMS: list[str] | None}
    added = [(name, kind, dataclasses.field(default=None)) for name, kind in kinds.items()]
    return dataclasses.make_dataclass(schema.__name__, added, bases=(schema,))


@dataclass(frozen=True)
class Tuned:
    """A value that was chosen by tuning, a strength or the control's learning rate, and what was spent on it."""

    parameter: tuning.Parameter
    value: float
    spent: Tuning


def tuned(config: Config, method: str) -> Tuned | None:
    """Find how a method, or the control, was tuned for the task and dataset of a configuration.

    The folder of tuning that the configuration names goes first, then the defaults of the protocol and dataset.
    """
    task, dataset = config.task["name"], config.data["name"]
    record = None if config.tuning is None else tuning.find(Path(config.tuning), task, dataset, method)
    if record is not None:
        return Tuned(record.parameter, record.chosen, record.part())
    choices = default_strengths.read(config.protocol.name, dataset).get(task)
    if choices is None:
        return None
    if methods[method].control and choices.control:
        return Tuned("lr", choices.control.lr, choices.control.tuning)
    if method in choices.methods and choices.tuning:
        return Tuned("strength", choices.methods[method].strength, choices.tuning)
    return None


def fill(config: Config) -> None:
    """Put the tuned strength, or else 1, in the place of each that was not given.

    Raises InputError for one that is not positive, and for a folder of tuning that does not exist.
    """
    if config.tuning is not None and not Path(config.tuning).is_dir():
        raise InputError(f"tuning={config.tuning}: no such folder; `benchmark tune` writes <home>/tuning")
    for name, options in config.methods.items():
        if STRENGTH in options and options[STRENGTH] is None:
            choice = tuned(config, name)
            options[STRENGTH] = choice.value if choice else 1.0
        if options.get(STRENGTH, 1.0) not in POSITIVE:
            raise InputError(f"methods.{name}.{STRENGTH}={options[STRENGTH]}: expected a number {POSITIVE}")


def spent(config: Config, method: str) -> Tuning | None:
    """Say what the tuning of a run's strength, or of the control's rate, took; None for a value of somebody's own."""
    choice = tuned(config, method)
    if choice is None:
        return None
    taken = config.recipe.lr if choice.parameter == "lr" else config.methods.get(method, {}).get(STRENGTH)
    return choice.spent if taken == choice.value else None
