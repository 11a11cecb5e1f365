"""The embedded dataset of clips: the world of ``scenes`` in motion, and where people look in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tasks.annotations.fixations import FixationKind, Fixations
from tasks.base import Dataset, Info, Sample, datasets
from tasks.datasets.rendering.gaze import density, looks
from tasks.datasets.rendering.motion import Clip, draw_clip
from tasks.datasets.rendering.render import render
from tasks.errors import InputError, nearest

VERSION = 1  # of clips and looks: raised by every change that alters a sample
SMALLEST = 32  # pixels
KEPT = 2**28  # bytes of frames that an instance remembers


@datasets.register("clips")
class Clips(Dataset):
    """Rendered clips in which the camera drifts and one to three things or people move by themselves.

    A sample is one frame of a clip with the frame before it: ``image`` (H,W,6), the newer one first. It depends on
    ``(split, index, size, length)`` alone; a whole clip, ``length`` samples on end, belongs to one split.

    - ``fixations``: a density and points that are drawn from it, by the law of ``tasks.datasets.rendering.gaze``: what
      moves against the ground draws the eye, more than what is conspicuous, and what is there at all a little. Nothing
      in a single frame tells what moves, so half of the law can be learned from one frame, and all of it from two.

    Args:
        size: height and width in pixels.
        train: number of training clips.
        val: number of validation clips.
        test: number of test clips.
        length: frames of a clip.

    Raises:
        InputError: a size below SMALLEST, a split without clips, or clips without frames.
    """

    title: ClassVar[str] = "Rendered clips, and where people look"
    license: ClassVar[str] = "Apache-2.0"
    slow: ClassVar[bool] = True
    uniform: ClassVar[bool] = True
    provides: ClassVar[frozenset[str]] = frozenset({"fixations"})
    info = Info()

    def __init__(self, *, size: int = 96, train: int = 192, val: int = 16, test: int = 48, length: int = 4) -> None:
        if size < SMALLEST:
            raise InputError(f"clips: size is {size}, expected at least {SMALLEST} pixels; set data.size")
        self.size, self.length = size, length
        self.clips = {"train": train, "val": val, "test": test}
        for key, count in {**self.clips, "length": length}.items():
            if count < 1:
                raise InputError(f"clips: {key} is {count}, expected at least 1; set data.{key}")
        self._kept: dict[tuple[str, int, int], tuple[np.ndarray, Fixations]] = {}

    def ids(self, split: str) -> Sequence[str]:
        """List the ids of a split: the clip, then the frame, as in ``train-00003/2``."""
        return [f"{split}-{clip:05d}/{time}" for clip in range(self._clips(split)) for time in range(self.length)]

    def load(self, split: str, index: int) -> Sample:
        """Render one frame and the one before it, or copy them when they were rendered before."""
        clip, time = divmod(index, self.length)
        if not 0 <= clip < self._clips(split):
            raise IndexError(f"clips: no sample {index} in {split}, which has {self._clips(split) * self.length}")
        image, seen = self._frame(split, clip, time)
        before, _ = self._frame(split, clip, time - 1)
        assert seen.points is not None
        looked = Fixations(seen.density.copy(), seen.points.copy())
        return Sample(f"{split}-{clip:05d}/{time}", np.concatenate([image, before], axis=2), {"fixations": looked})

    def _frame(self, split: str, clip: int, time: int) -> tuple[np.ndarray, Fixations]:
        key = (split, clip, time)
        if key not in self._kept:
            if len(self._kept) * 7 * self.size**2 > KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = self._render(self.clip(split, clip), (VERSION, self.splits.index(split), clip), time)
        return self._kept[key]

    def clip(self, split: str, clip: int) -> Clip:
        """Draw what a clip consists of."""
        return draw_clip(np.random.default_rng((VERSION, self.splits.index(split), clip)), self.length)

    def _render(self, clip: Clip, key: tuple[int, int, int], time: int) -> tuple[np.ndarray, Fixations]:
        rng = np.random.default_rng((*key, self.size, 1 + time))  # of the sensor, then of the looks
        rendering = render(clip.at(time), self.size, rng)
        spread = density(clip, time, rendering)
        return rendering.image, Fixations(spread, looks(spread, rng))

    def group(self, sample_id: str) -> str:
        """Name the clip of a frame."""
        return sample_id.rpartition("/")[0]

    def manifest(self) -> str:
        """Hash the version and the options."""
        options = f"{self.size} {self.length} {sorted(self.clips.items())}"
        return hashlib.sha256(f"clips {VERSION} {options}".encode()).hexdigest()

    def verify(self) -> list[str]:
        """Render every sample and name those whose density or points are not as they must be."""
        kind, size = FixationKind(), (self.size, self.size)
        return [
            f"clips: {split} sample {index}: {fault}"
            for split in self.splits
            for index in range(len(self.ids(split)))
            for fault in kind.faults(self.load(split, index).annotations["fixations"], size, self.info)
        ]

    def _clips(self, split: str) -> int:
        if split not in self.clips:
            raise InputError(f"clips: unknown split '{split}'{nearest(split, self.clips)}")
        return self.clips[split]
