"""A dataset cut down to its training split, a part of which is held out: where hyper-parameters are chosen."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from tasks.base import Dataset, Sample
from tasks.data.partition import fraction, split_labeled
from tasks.data.wrapped import Wrapped
from tasks.errors import InputError


class TuningSplit(Wrapped):
    """The training split alone: most of it is trained on, the rest stands for validation and test.

    Args:
        whole: the dataset; its own validation and test splits are never read.
        share: the part to choose hyper-parameters on, such as ``1/4``; drawn as ``tasks.data.partition`` draws
            labelled fractions, so that no group of samples is torn apart.

    Raises InputError for a share outside (0, 1), and where nothing is left to train on.
    """

    def __init__(self, whole: Dataset, share: str) -> None:
        part_of = fraction(share)
        if part_of is None or not 0 < part_of < 1:
            raise InputError(f"data.tuning_split={share}: expected a share above 0 and below 1, such as 1/4")
        part = split_labeled(whole.ids("train"), share, whole.group)
        if not part.unlabeled:
            raise InputError(f"data.tuning_split={share}: expected a share that leaves images to train on, as 1/4 does")
        super().__init__(whole)
        self.splits = ("train", "val", "test")  # type: ignore[misc]
        self._indices = {"train": part.unlabeled, "val": part.labeled, "test": part.labeled}
        self._checksum = part.checksum

    def ids(self, split: str) -> Sequence[str]:
        """List the ids of the training images that play the split."""
        known = self.whole.ids("train")
        return [known[index] for index in self._indices[split]]

    def load(self, split: str, index: int) -> Sample:
        """Read a training image."""
        return self.whole.load("train", self._indices[split][index])

    def manifest(self) -> str:
        """Return the hash of the whole dataset's content and of the choice."""
        return hashlib.sha256(f"{self.whole.manifest()} held out {self._checksum}".encode()).hexdigest()
