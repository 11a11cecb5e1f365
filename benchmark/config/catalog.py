"""Everything that is registered: built-in tasks, datasets, methods, networks, then plugins, then single files."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import methods as methods_package
import tasks as tasks_package
import tasks.datasets as datasets_package
import tasks.networks as networks_package
from methods.base import methods
from tasks import single_file
from tasks.base import datasets, networks, tasks
from tasks.registry import Registry, import_modules

REGISTRIES: Mapping[str, Registry[Any]] = MappingProxyType(
    {"task": tasks, "data": datasets, "method": methods, "network": networks}
)
PLAYED = {"student": "network", "teacher": "network"}  # keys of the configuration that take an entry of a registry


@functools.cache
def load() -> None:
    """Import all built-in modules, then all plugins; a second call does nothing."""
    for package in (tasks_package, datasets_package, networks_package, methods_package):
        import_modules(package.__name__, package.__path__)
    for registry in REGISTRIES.values():
        registry.load_plugins()


def load_with(files: Iterable[str]) -> None:
    """Import what ``load`` does, and register the classes of single files, ``PATH.py:CLASS``."""
    load()
    for reference in files:
        enter_file(reference)


def registry_of(key: str) -> Registry[Any] | None:
    """Return the registry whose entries a key of the configuration takes, None where it takes none."""
    return REGISTRIES.get(PLAYED.get(key, key))


def enter_file(reference: str, key: str | None = None) -> tuple[str, str]:
    """Register the class of ``PATH.py:CLASS`` and return its name, and a reference that holds in any process.

    ``key`` is the configuration's word for the kind that is expected (``method``), None where any will do.
    """
    load()
    chosen = None if key is None else registry_of(key)
    registries = list(REGISTRIES.values()) if chosen is None else [chosen]
    registry, cls = single_file.enter(reference, registries)
    name = registry.name_of(cls)
    assert name is not None
    path, _ = single_file.split(reference)
    return name, f"{path}:{cls.__name__}"
