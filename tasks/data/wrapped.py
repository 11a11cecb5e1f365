"""A dataset that stands for another one, some part of which it changes."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.base import Dataset, Sample


class Wrapped(Dataset):
    """All that a dataset is and does, passed on; what a subclass defines takes its place.

    Args:
        whole: the dataset.
    """

    def __init__(self, whole: Dataset) -> None:
        self.name, self.title, self.provides = whole.name, whole.title, whole.provides  # type: ignore[misc]
        self.splits, self.slow, self.uniform = whole.splits, whole.slow, whole.uniform  # type: ignore[misc]
        self.info = whole.info
        self.whole = whole

    def ids(self, split: str) -> Sequence[str]:
        """List the ids of the dataset."""
        return self.whole.ids(split)

    def load(self, split: str, index: int) -> Sample:
        """Read a sample of the dataset."""
        return self.whole.load(split, index)

    def group(self, sample_id: str) -> str:
        """Name what a sample of the dataset belongs to."""
        return self.whole.group(sample_id)

    def manifest(self) -> str:
        """Return the hash of the dataset's content."""
        return self.whole.manifest()

    def verify(self) -> list[str]:
        """Name every fault of the dataset."""
        return self.whole.verify()
