"""Every public loss, metric and contract shows in its docstring how it is called; what it prints there is true."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest

import methods.base
import tasks.base
import tasks.metrics
from methods.base import methods as method_registry

CONTRACTS = (
    tasks.base.Prediction,
    tasks.base.OutputSpace,
    tasks.base.Metric,
    tasks.base.Task,
    methods.base.Method,
)


def public(module: ModuleType) -> Iterator[object]:
    """Find what a module defines for others."""
    for name, thing in vars(module).items():
        own = (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == module.__name__
        if own and not name.startswith("_"):
            yield thing


def losses() -> Iterator[object]:
    """Find the functions of every file that registers a built-in method, and of what such a file leaves to another."""
    files = {method_registry[name].__module__ for name in method_registry if method_registry.origin(name).built_in}
    for file in sorted({*files, "methods.sequences"}):
        yield from filter(inspect.isfunction, public(importlib.import_module(file)))


def metrics() -> Iterator[object]:
    """Find the functions and classes of every file of metrics."""
    for file in pkgutil.iter_modules(tasks.metrics.__path__, "tasks.metrics."):
        yield from public(importlib.import_module(file.name))


@pytest.mark.parametrize(
    "thing", [*losses(), *metrics(), *CONTRACTS], ids=lambda thing: f"{thing.__module__}.{thing.__name__}"
)
def test_it_shows_how_it_is_called(thing: object) -> None:
    name, text, told = thing.__name__, inspect.getdoc(thing) or "", []
    example = doctest.DocTestParser().get_doctest(text, {}, name, inspect.getsourcefile(thing), 0)
    assert example.examples, f"give the docstring of {name} an example of three to six lines, its imports included"
    assert any(each.want for each in example.examples), f"the example of {name} prints nothing"
    doctest.DocTestRunner().run(example, out=told.append)
    assert not told, "".join(told)
