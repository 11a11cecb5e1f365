"""Configurations of plugins: packages of YAML files that join Hydra's search path by an entry point."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

GROUP = "densedistill.conf"
OURS = "benchmark.conf"


class PluginConfigs(SearchPathPlugin):
    """Appends the packages that the entry points of the group name; our own configurations go first."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append each package that is there; ``faults`` names the others."""
        for entry in _entries():
            if _exists(entry.value):
                search_path.append(provider=f"plugin {entry.name}", path=f"pkg://{entry.value}")


def register() -> None:
    """Make Hydra ask for the packages; a second call does nothing."""
    Plugins.instance().register(PluginConfigs)


def faults() -> str:
    """Name the packages that are not there, for a message about an unknown configuration: ``"; ..."`` or nothing."""
    missing = [entry for entry in _entries() if not _exists(entry.value)]
    named = [f"plugin '{entry.name}' names configurations in {entry.value}, which is missing" for entry in missing]
    return "".join(f"; {fault}" for fault in named)


def folders(group: str) -> Iterator[Path]:
    """List the folders that hold the options of a group, in the order of Hydra's search path."""
    for package in (OURS, *(entry.value for entry in _entries())):
        spec = find_spec(package) if _exists(package) else None
        yield from (Path(place) / group for place in (spec.submodule_search_locations or () if spec else ()))


def _entries() -> tuple[EntryPoint, ...]:
    return _found(tuple(sys.path))


@cache
def _found(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Look through all that is installed, once a search path: it is asked for twenty times a run."""
    return tuple(importlib.metadata.entry_points(group=GROUP))


def _exists(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ImportError:
        return False
