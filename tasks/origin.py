"""Where a registered class comes from: this distribution, another one, or a single file."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DISTRIBUTION = "densedistill"
BUILT_IN = ("tasks", "methods")  # the packages of that distribution that hold registered classes
STAMP = "__source_sha256__"  # set on a module that was made from a file's bytes, see tasks.single_file


@dataclass(frozen=True)
class Origin:
    """A distribution and its version; or a file outside any distribution, by its name, place and content."""

    package: str  # distribution, or name of the file
    version: str = ""
    path: str = ""
    file_sha256: str = ""

    @property
    def built_in(self) -> bool:
        """Whether it is this distribution."""
        return self.package == DISTRIBUTION

    def __str__(self) -> str:
        return self.path or f"{self.package} {self.version}".strip()


def origin_of(module: str) -> Origin:
    """Find the distribution that holds a module, or the file that it was read from."""
    top = module.partition(".")[0]
    if top in BUILT_IN:
        return Origin(DISTRIBUTION, importlib.metadata.version(DISTRIBUTION))
    if packages := _distributions(tuple(sys.path)).get(top):
        return Origin(packages[0], importlib.metadata.version(packages[0]))
    loaded = sys.modules.get(module)
    path = getattr(loaded, "__file__", None)
    if path is None:
        return Origin(top)
    sha = getattr(loaded, STAMP, None) or hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return Origin(Path(path).name, path=str(path), file_sha256=sha)


@functools.cache
def _distributions(path: tuple[str, ...]) -> Mapping[str, list[str]]:
    """List the distributions of every top-level package along ``path``, once: all of their files are read for it."""
    return importlib.metadata.packages_distributions()


@functools.cache
def source_sha256(module: str) -> str:
    """Hash the code that a module of an installed plugin may run: every Python file of its top-level package.

    The whole package, because a class may use any of it, and a version is often raised long after the code.
    """
    top = sys.modules[module.partition(".")[0]]
    folders = [Path(each) for each in getattr(top, "__path__", [])]
    files = sorted(
        (path.relative_to(folder).as_posix(), path) for folder in folders for path in folder.rglob("*.py")
    ) or [(top.__name__, Path(str(top.__file__)))]
    whole = hashlib.sha256()
    for name, path in files:
        whole.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()
