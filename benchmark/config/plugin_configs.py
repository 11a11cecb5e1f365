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
    """Name the packages that cannot be had, for a message about an unknown configuration: ``"; ..."`` or nothing."""
    named = [(entry, _fault(entry.value)) for entry in _entries()]
    return "".join(
        f"; plugin '{entry.name}' names configurations in {entry.value}, which {why}" for entry, why in named if why
    )


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
    return not _fault(package)


def _fault(package: str) -> str:
    """Say why a package cannot be had: it is missing, or importing what is around it fails, however it does."""
    try:
        return "" if find_spec(package) is not None else "is missing"
    except ImportError:
        return "is missing"
    except Exception as error:
        return f"fails to import: {type(error).__name__}: {error}"
