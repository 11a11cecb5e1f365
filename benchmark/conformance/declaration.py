"""What a class says of itself: title, source, options with types and defaults, their documentation."""

from __future__ import annotations

import inspect
import re
from typing import Any

from benchmark.config.schema import Recipe
from benchmark.conformance.finding import Check, Verdict, broken, kept
from methods.base import Method
from tasks.base import NetworkSpec, Task
from tasks.registry import options


def title(cls: type[Any]) -> Verdict:
    """The class has a title."""
    return _text(cls, "title", "a few words that name it on boards")


def paper(cls: type[Method]) -> Verdict:
    """The class names its paper."""
    return _text(cls, "paper", "authors, venue and year, or 'unpublished'")


def _text(cls: type[Any], name: str, meaning: str) -> Verdict:
    value = getattr(cls, name, None)
    if isinstance(value, str) and value.strip():
        return kept(f"{name} is '{value}'")
    return broken(f"{name} is {value!r}", f"set {name} = '...' in the class body: {meaning}")


def options_have_types_and_defaults(cls: type[Any]) -> Verdict:
    """Every hyper-parameter is a keyword-only argument with a type and a default."""
    if positional := inspect.getfullargspec(cls.__init__).args[2:]:  # after self and the one argument that is given
        return broken(
            f"the constructor takes {_quoted(positional)} by position, so no option of that name exists",
            "put * before the options: def __init__(self, setting, *, weight: float = 1.0)",
        )
    taken = options(cls)
    untyped = [name for name, option in taken.items() if option.annotation is inspect.Parameter.empty]
    required = [name for name, option in taken.items() if option.default is inspect.Parameter.empty]
    if not untyped and not required:
        return kept(f"{len(taken)} options" if taken else "no options")
    faults = [
        f"{_quoted(names)} {'has' if len(names) == 1 else 'have'} no {what}"
        for names, what in ((untyped, "type"), (required, "default"))
        if names
    ]
    return broken("; ".join(faults), f"write {(untyped + required)[0]}: float = 1.0, with the type and default it has")


def options_are_documented(cls: type[Any]) -> Verdict:
    """The Args section of the class docstring has a line for every option."""
    _, _, section = (cls.__doc__ or "").partition("Args:")
    missing = [name for name in options(cls) if not re.search(rf"^\s*{re.escape(name)}\b[^\n:]*:", section, re.M)]
    if not missing:
        return kept("every option is in the docstring")
    return broken(
        f"the docstring of {cls.__qualname__} says nothing of {_quoted(missing)}",
        f"add a line below Args: in the class docstring, '{missing[0]}: what it does.'",
    )


def metrics_have_directions(cls: type[Task]) -> Verdict:
    """The metrics, the primary one first, say whether higher is better."""
    unclear = [name for name, higher in cls.metrics.items() if not isinstance(higher, bool)]
    if unclear or not cls.metrics:
        return broken(
            f"metrics is {dict(cls.metrics)!r}", "map every name to True (higher is better) or False, the primary first"
        )
    primary, higher = next(iter(cls.metrics.items()))
    return kept(f"{primary} ranks, {'higher' if higher else 'lower'} is better")


def networks_and_recipe_are_given(cls: type[Task]) -> Verdict:
    """The class names its student, its teachers with the main one first, and how they are trained."""
    if not cls.teachers:
        return broken("teachers is empty", "name at least one, the main one first: {'large': NetworkSpec(...)}")
    specs = [cls.student, *cls.teachers.values()]
    if not all(isinstance(spec, NetworkSpec) for spec in specs):
        return broken("student or teachers are no NetworkSpec", "describe each by tasks.base.NetworkSpec(...)")
    unknown = {**cls.recipe, **cls.teacher_recipe}.keys() - Recipe.__dataclass_fields__.keys()
    if unknown:
        known = ", ".join(Recipe.__dataclass_fields__)
        return broken(f"the recipe has no key {_quoted(sorted(unknown))}", f"use keys of the recipe: {known}")
    return kept(f"a student and teachers {', '.join(cls.teachers)}")


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


_METHOD = (title, paper, options_have_types_and_defaults, options_are_documented)
_TASK = (title, metrics_have_directions, networks_and_recipe_are_given, *_METHOD[2:])
METHOD_DECLARATION: list[Check[Any]] = [Check(run) for run in _METHOD]
TASK_DECLARATION: list[Check[Any]] = [Check(run) for run in _TASK]
