"""DHF1K: where people look in a thousand videos."""

from __future__ import annotations

from typing import ClassVar

from tasks.base import datasets
from tasks.datasets.reading.files import data_root
from tasks.datasets.reading.gaze import Frame, GazeDataset, clip_frames, clip_of, folders
from tasks.datasets.reading.listed import held_out

LAYOUT = "frames/<clip>/<frame>.png and annotation/<clip>/{maps,fixation}/<frame>.png"
TRAINING = 600  # clips 0001 to 0600 train, 0601 to 0700 test; the fixations of the rest are not public


@datasets.register("dhf1k")
class DHF1K(GazeDataset):
    """DHF1K (Wang et al., CVPR 2018): densities and fixation points of 17 viewers, in videos cut into frames.

    The official validation clips, 0601 to 0700, are the test split, since the official test set has no public
    fixations; whole clips are held out of the training clips for validation, see ``held_out``. Frames are those of the
    set's own script, numbered from 1 in a folder a clip.

    Args:
        root: the dataset's folder.
        frames: folder of the frames, relative to ``root``.
        every: of how many frames one is kept, for they change little; the frame before is the next one in time.
        holdout: share of the training frames that validate; 0 validates on the test set.
    """

    title: ClassVar[str] = "DHF1K, fixations in videos"
    license: ClassVar[str] = "see the authors' page"

    def __init__(
        self, *, root: str | None = None, frames: str = "frames", every: int = 10, holdout: float = 0.1
    ) -> None:
        top = data_root(root, LAYOUT, "annotation", frames)
        parts: dict[bool, list[Frame]] = {True: [], False: []}
        for folder in folders(top / "annotation", str.isdecimal):
            clip = folder.name
            listed = clip_frames(clip, top / frames / clip, folder / "maps", folder / "fixation", every)
            parts[int(clip) <= TRAINING].extend(listed)
        super().__init__(top, held_out(parts[True], parts[False], holdout, clip_of), every=every)
