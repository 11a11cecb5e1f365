"""Names to classes: tasks, datasets and methods register themselves with one decorator."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from tasks.errors import InputError, nearest
from tasks.origin import Origin, origin_of, source_sha256

T = TypeVar("T")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")  # becomes a key of the configuration, and part of the names of files


class Registry(Generic[T], Mapping[str, type[T]]):
    """Maps names to classes of one kind; plugins join through an entry-point group.

    Args:
        kind: what an entry is called in messages, e.g. ``"method"``.
        entry_points: the entry-point group that outside packages use, or None.
        base: the class that every entry derives from.
    """

    def __init__(self, kind: str, entry_points: str | None = None, base: type[Any] = object) -> None:
        self.kind = kind
        self.base = base
        self.broken: dict[str, str] = {}
        self._classes: dict[str, type[T]] = {}
        self._origins: dict[str, Origin] = {}
        self._entry_points = entry_points

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Return the decorator that enters a class under ``name``; a name taken twice raises InputError."""

        def enter(cls: type[T]) -> type[T]:
            if not NAME.fullmatch(name):
                raise InputError(f"{self.kind} '{name}': a name is letters, digits and _, and starts with a letter")
            origin, known = origin_of(cls.__module__), self._classes.get(name, cls)
            # a file may be imported twice, e.g. by its test and by a run: the later class takes the place of the first
            if known is not cls and (known.__qualname__ != cls.__qualname__ or origin != self._origins[name]):
                raise InputError(
                    f"{self.kind} '{name}' is registered twice: by {self._origins[name]} and by {origin}; "
                    "give one of them another name"
                )
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
                with self.all_or_nothing():
                    self._enter_plugin(entry)
            except (Exception, SystemExit) as error:  # a plugin may raise anything; it is reported, not swallowed
                dist = getattr(entry, "dist", None)
                self.broken[entry.name] = describe(error) + (f" (from {dist.name} {dist.version})" if dist else "")

    def _enter_plugin(self, entry: importlib.metadata.EntryPoint) -> None:
        """Import a plugin; a class that does not register itself gets the name of its entry point."""
        before, found = set(self._classes), entry.load()
        if inspect.isclass(found) and self.name_of(found) is None:
            if not issubclass(found, self.base):
                raise InputError(f"{entry.value} is no {self.kind}: derive it from {full_name(self.base)}")
            self.register(entry.name)(found)  # type: ignore[arg-type]  # its base was checked
        dist = getattr(entry, "dist", None)
        for name in set(self._classes) - before:  # an editable install may hide which distribution holds a module
            if dist is not None and self._origins[name].path:
                self._origins[name] = Origin(dist.name, dist.version)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Take back what was registered inside, if anything raises there."""
        classes, origins = dict(self._classes), dict(self._origins)
        try:
            yield
        except BaseException:
            self._classes, self._origins = classes, origins
            raise

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Undo, at the end, whatever was registered or withdrawn inside."""
        classes, origins, broken = dict(self._classes), dict(self._origins), dict(self.broken)
        try:
            yield
        finally:
            self._classes, self._origins, self.broken = classes, origins, broken

    def withdraw(self, name: str, reason: str | None = None) -> None:
        """Take an entry out; with a reason it is listed as broken."""
        del self._classes[name], self._origins[name]
        if reason is not None:
            self.broken[name] = reason

    def origin(self, name: str) -> Origin:
        """Say which distribution, or file, a name comes from."""
        self[name]
        return self._origins[name]

    def name_of(self, cls: type[Any]) -> str | None:
        """Return the name that a class is registered under, None where it is not."""
        return next((name for name, each in self._classes.items() if each is cls), None)

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


def describe(error: BaseException) -> str:
    """Say in one line what was raised; bad input needs no name of a class."""
    text = (str(error).strip().splitlines() or [""])[0]
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}".removesuffix(": ")


def full_name(cls: type[Any]) -> str:
    """Name a class with its module."""
    return f"{cls.__module__}.{cls.__qualname__}"


def import_modules(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that what it holds registers itself."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")


def options(cls: type[Any]) -> dict[str, inspect.Parameter]:
    """List the hyper-parameters of a registered class: its constructor's keyword-only arguments."""
    signature = inspect.signature(cls.__init__, eval_str=True)
    return {name: p for name, p in signature.parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def source_of(registry: Registry[Any], name: str) -> str:
    """Name where a class comes from: the built-in ones by nothing, so that ids outlive releases, others by content."""
    origin = registry.origin(name)
    return "" if origin.built_in else origin.file_sha256 or source_sha256(registry[name].__module__)
