"""MIT1003: where people look in still images."""

from __future__ import annotations

from typing import ClassVar

from tasks.base import datasets
from tasks.datasets.reading.files import data_root, files_by_stem
from tasks.datasets.reading.gaze import Frame, GazeDataset
from tasks.datasets.reading.listed import divide, strays

LAYOUT = "ALLSTIMULI/*.jpeg and ALLFIXATIONMAPS/{*_fixMap.jpg,*_fixPts.jpg}"


@datasets.register("mit1003")
class MIT1003(GazeDataset):
    """MIT1003 (Judd et al., ICCV 2009): still images with densities and points of 15 viewers, divided by ``divide``.

    Args:
        root: the dataset's folder.
    """

    title: ClassVar[str] = "MIT1003, fixations in still images"
    license: ClassVar[str] = "see the authors' page"
    official = {"whole": 1003}

    def __init__(self, *, root: str | None = None) -> None:
        top = data_root(root, LAYOUT, "ALLSTIMULI", "ALLFIXATIONMAPS")
        self.maps = top / "ALLFIXATIONMAPS"
        entries = [
            Frame(stem, path, self.maps / f"{stem}_fixMap.jpg", points=self.maps / f"{stem}_fixPts.jpg")
            for stem, path in files_by_stem(top / "ALLSTIMULI").items()
        ]
        super().__init__(top, divide(entries), found={"whole": len(entries)})

    def structure(self) -> list[str]:
        """Name what is wrong with the lists, and maps without an image."""
        listed = [path for entries in self.entries.values() for entry in entries for path in entry.files]
        return super().structure() + strays(files_by_stem(self.maps).values(), listed, "an image")
