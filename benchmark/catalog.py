"""Everything that is registered: built-in tasks, datasets and methods, then plugins."""

from __future__ import annotations

import functools

import methods as methods_package
import tasks as tasks_package
import tasks.data as data_package
from methods.base import methods
from tasks.base import datasets, tasks
from tasks.registry import import_modules


@functools.cache
def load() -> None:
    """Import all built-in modules, then all plugins; a second call does nothing."""
    for package in (tasks_package, data_package, methods_package):
        import_modules(package.__name__, package.__path__)
    for registry in (tasks, datasets, methods):
        registry.load_plugins()
