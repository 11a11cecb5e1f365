"""What the sets of fixations share: frames with the one before, a grey density and a map of points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.annotations.fixations import Fixations
from tasks.base import Info
from tasks.datasets.reading.files import fault, files_by_stem, read_grey, read_image, size_text
from tasks.datasets.reading.listed import Entry, ListedDataset
from tasks.datasets.reading.video import read_frame
from tasks.errors import InputError

FIXATED = 128  # of 0..255, from which a pixel of a map of points is one: such maps are black and white, some are JPEGs


@dataclass(frozen=True)
class Frame(Entry):
    """A frame, with the one before it, itself at the start of a clip, and the map of its points where there is one.

    ``number`` says which frame, from 0, where ``image`` is a video.
    """

    before: Path | None = None
    points: Path | None = None
    number: int | None = None

    @property
    def files(self) -> Mapping[Path, str]:
        """All files of the frame, and what each is."""
        more = {self.before: "the frame before", self.points: "the points"}
        return {**{path: what for path, what in more.items() if path is not None}, **super().files}


class GazeDataset(ListedDataset):
    """A set whose samples are frames with a density, and points where the set has them."""

    provides: ClassVar[frozenset[str]] = frozenset({"fixations"})
    info = Info()

    def group(self, sample_id: str) -> str:
        """Name the clip of a frame; a still image is its own."""
        return clip_of(sample_id) or sample_id

    def image(self, entry: Entry) -> np.ndarray:
        """Read a frame and the one before it, (H,W,6), or a still image, (H,W,3)."""
        if isinstance(entry, Frame) and entry.number is not None:
            numbers = (entry.number, max(0, entry.number - 1))
            return np.concatenate([read_frame(entry.image, number) for number in numbers], axis=2)
        newest = read_image(entry.image)
        if not isinstance(entry, Frame) or entry.before is None:
            return newest
        before = read_image(entry.before)
        if before.shape != newest.shape:
            sizes = [size_text((each.shape[0], each.shape[1])) for each in (newest, before)]
            raise fault(entry.before, f"{sizes[0]} pixels like the frame after it", sizes[1])
        return np.concatenate([newest, before], axis=2)

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the density and the points, at their own size."""
        density = read_grey(entry.annotation).astype(np.float32)
        if not isinstance(entry, Frame) or entry.points is None:
            return {"fixations": Fixations(density)}
        marked = read_grey(entry.points) >= FIXATED
        if marked.shape != density.shape:
            raise fault(entry.points, f"{size_text(density.shape)} pixels like its density", size_text(marked.shape))
        return {"fixations": Fixations(density, pixels(marked))}

    def doubts(self, entry: Entry, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name a density that is black all over."""
        if annotations["fixations"].density.any():
            return []
        return [str(fault(entry.annotation, "a density", "a black image", "leave the frame out"))]


def pixels(marked: np.ndarray) -> np.ndarray:
    """Return the centres of marked pixels, float32 (K,2), x,y."""
    rows, columns = np.nonzero(marked)
    return (np.stack([columns, rows], axis=1) + 0.5).astype(np.float32)


def clip_of(identifier: str) -> str:
    """Name the clip of a frame: its id up to the last slash."""
    return identifier.rpartition("/")[0]


def clip_frames(
    clip: str,
    frames: Path,
    densities: Path,
    points: Path | None = None,
    every: int = 1,
) -> Iterator[Frame]:
    """List every so many frames of a clip, in the order of their names.

    Args:
        clip: its name, which begins the ids.
        frames: folder of its images.
        densities: folder of its densities, PNG files of the same stems.
        points: folder of its maps of points, where there are any, likewise.
        every: of how many frames one is kept; the frame before is its neighbour all the same.

    Raises InputError where the folder of frames is missing.
    """
    images = list(files_by_stem(frames).items())
    for number in range(0, len(images), _spacing(every)):
        stem, image = images[number]
        before = images[max(0, number - 1)][1]
        marks = None if points is None else points / f"{stem}.png"
        yield Frame(f"{clip}/{stem}", image, densities / f"{stem}.png", before, marks)


def video_frames(
    clip: str, video: Path, densities: Path, points: Path | None = None, every: int = 1
) -> Iterator[Frame]:
    """List every so many frames of a video, as ``clip_frames`` does: those that have a density, ``0001.png`` the first.

    Raises InputError where the folder of densities is missing, or a file in it is not called by a number.
    """
    stems = list(files_by_stem(densities))[:: _spacing(every)]
    for stem in stems:
        if not stem.isdecimal():
            raise fault(densities / stem, "files named by the numbers of frames", stem, "name them 0001.png onwards")
        marks = None if points is None else points / f"{stem}.png"
        yield Frame(f"{clip}/{stem}", video, densities / f"{stem}.png", points=marks, number=int(stem) - 1)


def _spacing(every: int) -> int:
    if every < 1:
        raise InputError(f"data.every={every}: expected at least 1, of how many frames one is kept")
    return every


def folders(parent: Path, named: Callable[[str], bool] = lambda name: not name.startswith(".")) -> list[Path]:
    """List the folders in a folder that are named as a clip is, sorted; InputError where it is none."""
    if not parent.is_dir():
        raise InputError(f"{parent}: expected a folder with one folder a clip, found no such folder")
    return sorted(path for path in parent.iterdir() if path.is_dir() and named(path.name))
