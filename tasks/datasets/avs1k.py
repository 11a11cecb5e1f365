"""AVS1K: where people look in videos from drones."""

from __future__ import annotations

from typing import ClassVar

from tasks.base import datasets
from tasks.datasets.reading.files import data_root
from tasks.datasets.reading.gaze import GazeDataset, clip_frames, folders

PARTS = {"train": "trainSet", "val": "validSet", "test": "testSet"}
LAYOUT = "{trainSet,validSet,testSet}/{Frame,Ground}/<Class>_<clip>/<Class>_<clip>_<frame>.png"


@datasets.register("avs1k")
class AVS1K(GazeDataset):
    """AVS1K (Fu et al., TIP 2020): grey densities in videos of buildings, people, vehicles and others from above.

    This packaging has no fixation points: NSS is weighted by the density, AUC-J and sAUC are undefined.

    Args:
        root: the dataset's folder, or the one that holds ``2020-TIP-Fu-MMNet``.
        every: of how many frames one is kept, for they change little; the frame before is the next one in time.
    """

    title: ClassVar[str] = "AVS1K, attention in videos from drones"
    license: ClassVar[str] = "see the authors' page"

    def __init__(self, *, root: str | None = None, every: int = 10) -> None:
        top = data_root(root, LAYOUT, *PARTS.values(), inside=("2020-TIP-Fu-MMNet",))
        entries = {
            split: [
                frame
                for folder in folders(top / part / "Frame")
                for frame in clip_frames(folder.name, folder, top / part / "Ground" / folder.name, every=every)
            ]
            for split, part in PARTS.items()
        }
        super().__init__(top, entries, every=every)
