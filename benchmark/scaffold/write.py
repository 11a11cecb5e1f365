"""Writes a method, a task or a network that works, with its test, as single files or as a distribution."""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from rich.console import Console

from benchmark.config import catalog
from tasks.errors import InputError, nearest
from tasks.registry import NAME

KINDS = ("method", "task", "network")
KEYS = {"network": "student"}  # of the configuration, where it is not the kind
STEPS = {  # what to type next; the first is a matter of seconds
    "method": ("method=$reference task=seg experiment=smoke", "method=[none,pixel,$reference] task=seg"),
    "task": ("task=$reference method=pixel experiment=smoke", "task=$reference method=[none,pixel,mgd]"),
    "network": ("student=$reference task=seg method=none experiment=smoke", "student=$reference method=[none,pixel]"),
}


@dataclass(frozen=True)
class Skeleton:
    """What is to be written, and where."""

    kind: str
    name: str
    package: bool
    folder: Path  # that the command was given in

    @property
    def cls(self) -> str:
        """The class's name: ``my_kd`` becomes ``MyKd``."""
        return "".join(part[:1].upper() + part[1:] for part in self.name.split("_"))

    @property
    def paths(self) -> dict[Path, str]:
        """Every file, relative to the folder, with the name of its template."""
        module = {f"{self.name}.py": f"{self.kind}.py", f"test_{self.name}.py": f"test_{self.kind}.py"}
        if not self.package:
            return {Path(name): template for name, template in module.items()}
        whole = {"pyproject.toml": "pyproject.toml", "README.md": "README.md", **module}
        return {Path(self.name) / name: template for name, template in whole.items()}

    @property
    def values(self) -> dict[str, str]:
        """What the templates' placeholders stand for."""
        return {
            "kind": self.kind,
            "key": KEYS.get(self.kind, self.kind),
            "name": self.name,
            "cls": self.cls,
            "distribution": f"densedistill-{self.name.replace('_', '-')}",
            "gap": "\n" if (self.folder / f"{self.kind}s").is_dir() else "",  # in our repository ours are first-party
            "reference": self.name if self.package else f"./{self.name}.py:{self.cls}",
        }

    def text(self, template: str) -> str:
        """Fill in a template."""
        source = files("benchmark.scaffold") / "templates" / f"{template}.txt"
        return Template(source.read_text(encoding="utf-8")).substitute(self.values)

    @property
    def next_steps(self) -> list[str]:
        """The commands that follow."""
        runs = [f"benchmark run {Template(words).substitute(self.values)}" for words in STEPS[self.kind]]
        if self.package:
            return [f"pip install -e ./{self.name}", *runs, f"pytest {self.name}"]
        return [*runs, f"benchmark list {self.kind}s {self.values['reference']}", f"pytest test_{self.name}.py"]


def write(kind: str, name: str, package: bool, folder: Path, console: Console) -> None:
    """Write the files and say what to type next; raises InputError before anything is written."""
    if kind not in KINDS:
        raise InputError(f"cannot write a new '{kind}'{nearest(kind, KINDS)}")
    skeleton = Skeleton(kind, name, package, folder)
    _check_free(skeleton)
    _check_name(kind, name)
    for path, template in skeleton.paths.items():
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(skeleton.text(template))
        console.print(f"wrote    {path}", markup=False, highlight=False)
    console.print("next:", highlight=False)
    for line in skeleton.next_steps:
        console.print(f"  {line}", markup=False, highlight=False)


def _check_name(kind: str, name: str) -> None:
    """Raise InputError for a name that cannot be a module and an entry of the registry, or is one already."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name != name.lower():
        raise InputError(
            f"'{name}' cannot be the name of a {kind}: expected lower-case letters, digits and _, such as my_{kind}"
        )
    catalog.load()
    registry = catalog.REGISTRIES[kind]
    if name in registry:
        raise InputError(f"{kind} '{name}' is taken by {registry.origin(name)}; choose another name")
    if name in registry.broken:
        raise InputError(f"{kind} '{name}' is taken by a plugin that failed ({registry.broken[name]})")
    if find_spec(name) is not None:
        raise InputError(f"'{name}' is taken: Python has a module of that name; choose another")


def _check_free(skeleton: Skeleton) -> None:
    """Raise InputError rather than write over a file."""
    for path in [Path(skeleton.name), *skeleton.paths] if skeleton.package else skeleton.paths:
        if (skeleton.folder / path).exists():
            raise InputError(f"{skeleton.folder / path} exists, and nothing is written over; choose another name")
