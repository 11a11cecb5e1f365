"""DHF1K: where people look in a thousand videos."""

from __future__ import annotations

from typing import ClassVar

from tasks.base import datasets
from tasks.datasets.reading.files import data_root
from tasks.datasets.reading.gaze import Frame, GazeDataset, clip_frames, clip_of, folders, video_frames
from tasks.datasets.reading.listed import held_out
from tasks.errors import InputError

LAYOUT = "video/<number>.AVI or frames/<clip>/<frame>.png, and annotation/<clip>/{maps,fixation}/<frame>.png"
TRAINING = 600  # clips 0001 to 0600 train, 0601 to 0700 test; the fixations of the rest are not public


@datasets.register("dhf1k")
class DHF1K(GazeDataset):
    """DHF1K (Wang et al., CVPR 2018): densities and fixation points of 17 viewers, in videos cut into frames.

    The official validation clips, 0601 to 0700, are the test split, since the official test set has no public
    fixations; whole clips are held out of the training clips for validation, see ``held_out``. Frames are read from the
    videos, or, where there is such a folder, are those of the set's own script, numbered from 1 in a folder a clip.

    Args:
        root: the dataset's folder.
        frames: folder of the frames, relative to ``root``; preferred to the videos where it is there.
        video: folder of the videos, relative to ``root``.
        every: of how many frames one is kept, for they change little; the frame before is the next one in time.
        holdout: share of the training frames that validate; 0 validates on the test set.
    """

    title: ClassVar[str] = "DHF1K, fixations in videos"
    license: ClassVar[str] = "see the authors' page"

    def __init__(
        self,
        *,
        root: str | None = None,
        frames: str = "frames",
        video: str = "video",
        every: int = 10,
        holdout: float = 0.1,
    ) -> None:
        top = data_root(root, LAYOUT, "annotation")
        cut = (top / frames).is_dir()
        if not cut and not (top / video).is_dir():
            raise InputError(
                f"{top}: expected {LAYOUT}, found neither {video}/ nor {frames}/; set data.video or data.frames"
            )
        parts: dict[bool, list[Frame]] = {True: [], False: []}
        for folder in folders(top / "annotation", str.isdecimal):
            clip, looks = folder.name, (folder / "maps", folder / "fixation")
            if cut:
                listed = clip_frames(clip, top / frames / clip, *looks, every)
            else:
                listed = video_frames(clip, top / video / f"{int(clip):03d}.AVI", *looks, every)
            parts[int(clip) <= TRAINING].extend(listed)
        super().__init__(top, held_out(parts[True], parts[False], holdout, clip_of), every=every)
