"""Any clips: a folder of frames and a folder of densities, one folder a clip in each."""

from __future__ import annotations

from typing import ClassVar

from tasks.base import datasets
from tasks.datasets.reading.files import data_root
from tasks.datasets.reading.gaze import GazeDataset, clip_frames, clip_of, folders
from tasks.datasets.reading.listed import Entry, divide

LAYOUT = "frames/<clip>/<frame>.png (or .jpg) and maps/<clip>/<frame>.png"


@datasets.register("clipfolder")
class ClipFolder(GazeDataset):
    """Clips of one's own, divided into splits by ``divide``, whole clips at a time.

    Args:
        root: the dataset's folder; the other paths are relative to it.
        frames: folder of the frames.
        maps: folder of the grey densities, PNG files.
        points: folder of the maps of points, where there are any: a white pixel is a fixation.
        every: of how many frames one is kept; the frame before is the next one in time.
    """

    title: ClassVar[str] = "Clips and densities in folders"
    license: ClassVar[str] = "that of the files"

    def __init__(
        self,
        *,
        root: str | None = None,
        frames: str = "frames",
        maps: str = "maps",
        points: str | None = None,
        every: int = 1,
    ) -> None:
        top = data_root(root, LAYOUT, frames, maps)
        entries: list[Entry] = []
        for folder in folders(top / frames):
            marks = None if points is None else top / points / folder.name
            entries += clip_frames(folder.name, folder, top / maps / folder.name, marks, every)
        super().__init__(top, divide(entries, clip_of), every=every)
