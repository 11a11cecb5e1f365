"""Classes from a single file that belongs to no distribution: ``./my_kd.py:MyKD``."""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tasks.annotations.kind import kinds
from tasks.errors import InputError, nearest
from tasks.origin import STAMP
from tasks.registry import NAME, Registry, describe, full_name

REFERENCE = re.compile(r"(?P<path>.+\.py)(?::(?P<cls>[^:/\\]*))?")
MODULE = "densedistill_file"  # what the modules' names start with


def is_reference(text: str) -> bool:
    """Say whether a word names a file, and perhaps a class in it, instead of something registered."""
    return REFERENCE.fullmatch(text) is not None


def split(reference: str) -> tuple[Path, str | None]:
    """Take a reference apart: an existing file, with its full path, and the name of a class or None."""
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise InputError(f"'{reference}' is no reference to a class in a file; expected PATH.py:CLASS")
    return _existing(found["path"]), found["cls"]


def enter(reference: str, registries: Sequence[Registry[Any]]) -> tuple[Registry[Any], type[Any]]:
    """Register the class that ``PATH.py:CLASS`` names, in the registry of its kind, and return both.

    ``PATH.py`` alone will do where the file holds one class of a kind that fits. The class is registered under the name
    that it gives itself with a decorator, or else under the name of its file. Raises InputError.
    """
    path, wanted = split(reference)
    touched = [*registries, kinds]  # a file may bring the kind of annotation that its task learns from
    with _all_or_nothing(touched):
        module = _import(path, touched)
        registry, cls = _choose(module, wanted, path, registries)
        if registry.name_of(cls) is None:
            registry.register(_name(path, registry))(cls)
    return registry, cls


def _existing(given: str) -> Path:
    path = Path(given).expanduser()
    if not path.is_file():
        found = "a folder" if path.is_dir() else f"no such file{nearest(path.name, _neighbours(path))}"
        raise InputError(f"{given}: expected a Python file, found {found} (looked for {path.absolute()})")
    return path.resolve()


def _neighbours(path: Path) -> list[str]:
    return [file.name for file in path.parent.glob("*.py")][:100] if path.parent.is_dir() else []


@contextmanager
def _all_or_nothing(registries: Sequence[Registry[Any]]) -> Iterator[None]:
    """Undo what a file registered, and forget its module, if it cannot be used."""
    before = set(sys.modules)
    with ExitStack() as stack:
        for registry in registries:
            stack.enter_context(registry.all_or_nothing())
        try:
            yield
        except BaseException:
            for name in set(sys.modules) - before:
                if name.startswith(MODULE):
                    del sys.modules[name]
            raise


def _import(path: Path, registries: Sequence[Registry[Any]]) -> ModuleType:
    """Run a file as a module that is named by its content, so that the same content is run once, wherever it lies."""
    if (known := _imported(path, registries)) is not None:
        return known
    source = path.read_bytes()
    sha = hashlib.sha256(source).hexdigest()
    name = f"{MODULE}_{path.stem}_{sha[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    for registry in registries:  # what an earlier version of this file registered
        for entry in [entry for entry in registry if registry.origin(entry).path == str(path)]:
            registry.withdraw(entry)
    module = ModuleType(name)
    module.__file__ = str(path)
    setattr(module, STAMP, sha)  # of the very bytes that are run: the file may change while the run goes on
    sys.modules[name] = module  # where inspect and dataclasses look it up
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # a file of the user's may raise anything
        raise InputError(f"{path}{_line(error, path)}: {describe(error)}") from error
    return module


def _imported(path: Path, registries: Sequence[Registry[Any]]) -> ModuleType | None:
    """Return the module of an installed plugin, or of a test, that was imported from this very file."""
    for registry in registries:
        for cls in registry.values():
            module = sys.modules.get(cls.__module__)
            file = getattr(module, "__file__", None)
            if module is not None and file and not hasattr(module, STAMP) and Path(file).resolve() == path:
                return module
    return None


def _line(error: BaseException, path: Path) -> str:
    """Say at which line of the file an import failed."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f", line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _choose(
    module: ModuleType, wanted: str | None, path: Path, registries: Sequence[Registry[Any]]
) -> tuple[Registry[Any], type[Any]]:
    """Find the class that is asked for, or the only one that fits, and the registry of its kind."""
    defined = {thing.__name__: thing for thing in vars(module).values() if _defined_in(module, thing)}
    accepted = " or ".join(registry.kind for registry in registries)
    bases = " or ".join(full_name(registry.base) for registry in registries)
    fits = tuple(registry.base for registry in registries)
    if not wanted:
        choices = [cls for cls in defined.values() if issubclass(cls, fits) and not inspect.isabstract(cls)]
        if not choices:
            raise InputError(f"{path} defines no {accepted}: a class derived from {bases} with all its functions")
        if len(choices) > 1:
            names = ", ".join(choice.__name__ for choice in choices)
            raise InputError(f"{path} defines several classes: {names}; choose one: {path.name}:{choices[0].__name__}")
        cls = choices[0]
    else:
        cls = vars(module).get(wanted)
        if not inspect.isclass(cls):
            raise InputError(f"{path} has no class '{wanted}'{nearest(wanted, defined)}")
        if not issubclass(cls, fits):
            raise InputError(f"{path}: class '{wanted}' is no {accepted}: derive it from {bases}")
        if missing := sorted(getattr(cls, "__abstractmethods__", ())):
            raise InputError(f"{path}: class '{wanted}' does not define {', '.join(missing)}")
    return next(registry for registry in registries if issubclass(cls, registry.base)), cls


def _defined_in(module: ModuleType, thing: object) -> bool:
    return inspect.isclass(thing) and thing.__module__ == module.__name__


def _name(path: Path, registry: Registry[Any]) -> str:
    if not NAME.fullmatch(path.stem):
        raise InputError(
            f"{path}: a {registry.kind} is named after its file, but '{path.stem}' is not letters, digits and _; "
            "rename the file, or name the class with the decorator register"
        )
    return path.stem
