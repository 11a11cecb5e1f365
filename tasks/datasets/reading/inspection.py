"""Which datasets a folder may be: every adapter is asked, the general ones last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.base import Dataset
from tasks.datasets.reading.faults import condensed
from tasks.datasets.reading.listed import ListedDataset
from tasks.errors import InputError
from tasks.registry import options


@dataclass(frozen=True)
class Finding:
    """A way to read a folder: the dataset, its options besides the root, and what stands in its way, if anything."""

    name: str
    options: Mapping[str, Any]
    dataset: Dataset | None
    missing: str = ""

    @property
    def sound(self) -> bool:
        """Whether every split can be listed, and nothing that a glance shows stands in the way."""
        return self.dataset is not None and not self.missing


def findings(root: Path, registry: Mapping[str, type[Dataset]]) -> Iterator[Finding]:
    """Yield every way in which a registered dataset reads a folder, those of its own layout before general ones.

    A dataset with a layout of its own is left out where it does not recognise the folder; a general one says why not.
    """
    adapters = [(name, cls) for name, cls in registry.items() if "root" in options(cls)]
    listed = [(name, cls) for name, cls in adapters if issubclass(cls, ListedDataset)]
    for name, cls in sorted(listed, key=lambda item: (item[1].general, item[0])):
        yield from _general(name, cls, root) if cls.general else _own(name, cls, root)


def _own(name: str, cls: type[ListedDataset], root: Path) -> Iterator[Finding]:
    """The first options with which the set is whole; failing that, the first with which its layout is there."""
    partial: Finding | None = None
    for chosen in cls.proposals(root):
        try:
            found = _tried(name, cls, root, chosen)
        except InputError:  # another layout
            continue
        if found.sound:
            yield found
            return
        partial = partial or found
    if partial is not None:
        yield partial


def _general(name: str, cls: type[ListedDataset], root: Path) -> Iterator[Finding]:
    try:
        proposals = list(cls.proposals(root))
    except InputError as error:
        yield Finding(name, {}, None, str(error))
        return
    for chosen in proposals:
        try:
            yield _tried(name, cls, root, chosen)
        except InputError as error:
            yield Finding(name, chosen, None, str(error))


def _tried(name: str, cls: type[ListedDataset], root: Path, chosen: Mapping[str, Any]) -> Finding:
    """Build a dataset; InputError where that cannot be done."""
    build: Callable[..., ListedDataset] = cls  # adapters have options of their own
    dataset = build(root=str(root), **chosen)
    try:
        for split in dataset.splits:
            dataset.ids(split)
        if faults := [*dataset.list_faults(), *dataset.glance()]:
            return Finding(name, chosen, dataset, "\n".join(condensed(faults)))
        dataset.load("train", 0)
    except InputError as error:
        return Finding(name, chosen, dataset, str(error))
    return Finding(name, chosen, dataset)
