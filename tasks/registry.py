"""Names to classes: tasks, datasets and methods register themselves with one decorator."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tasks.errors import InputError, nearest

T = TypeVar("T")
DISTRIBUTION = "densedistill"


@dataclass(frozen=True)
class Origin:
    """Where a registered class comes from: a distribution and its version."""

    package: str
    version: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


def _origin_of(module: str) -> Origin:
    """Find the distribution that holds a module; a loose file counts as a package of its own."""
    top = module.partition(".")[0]
    if top in {"tasks", "methods"}:
        return Origin(DISTRIBUTION, importlib.metadata.version(DISTRIBUTION))
    packages = importlib.metadata.packages_distributions().get(top)
    if packages:
        return Origin(packages[0], importlib.metadata.version(packages[0]))
    return Origin(top, "file")


class Registry(Generic[T], Mapping[str, type[T]]):
    """Maps names to classes of one kind; plugins join through an entry-point group.

    Args:
        kind: what an entry is called in messages, e.g. ``"method"``.
        entry_points: the entry-point group that outside packages use, or None.
    """

    def __init__(self, kind: str, entry_points: str | None = None) -> None:
        self.kind = kind
        self.broken: dict[str, str] = {}
        self._classes: dict[str, type[T]] = {}
        self._origins: dict[str, Origin] = {}
        self._entry_points = entry_points

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Return the decorator that enters a class under ``name``; a name taken twice raises InputError."""

        def enter(cls: type[T]) -> type[T]:
            origin = _origin_of(cls.__module__)
            if name in self._classes and self._classes[name] is not cls:
                raise InputError(f"{self.kind} '{name}' is registered twice: by {self._origins[name]} and by {origin}")
            self._classes[name] = cls
            self._origins[name] = origin
            cls.name = name  # type: ignore[attr-defined]
            return cls

        return enter

    def load_plugins(self) -> None:
        """Import every plugin of the entry-point group; one that fails is kept in ``broken`` and harms no other."""
        if self._entry_points is None:
            return
        for entry in importlib.metadata.entry_points(group=self._entry_points):
            try:
                entry.load()
            except Exception as error:  # a plugin may raise anything; it is reported, not swallowed
                self.broken[entry.name] = f"{type(error).__name__}: {error}"

    def origin(self, name: str) -> Origin:
        """Say which distribution a name comes from."""
        self[name]
        return self._origins[name]

    def __getitem__(self, name: str) -> type[T]:
        if name not in self._classes:
            if name in self.broken:
                raise InputError(f"{self.kind} '{name}' comes from a plugin that failed to import: {self.broken[name]}")
            raise InputError(f"unknown {self.kind} '{name}'{nearest(name, self._classes)}")
        return self._classes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


def import_modules(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that what it holds registers itself."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")


def options(cls: type[Any]) -> dict[str, inspect.Parameter]:
    """List the hyper-parameters of a registered class: its constructor's keyword-only arguments."""
    signature = inspect.signature(cls.__init__, eval_str=True)
    return {name: p for name, p in signature.parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}
