"""Depth: pictures of 8 or 16 bits, or arrays of numbers, in metres times a scale."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.base import Info
from tasks.datasets.reading.files import fault, reason, size_text
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.pictures import PICTURES, plane_of, sort_of
from tasks.datasets.reading.tree import below
from tasks.errors import InputError

INVALID = (0, 65535)  # no measurement: most sensors, and Kinect in 7-Scenes
PLAUSIBLE = (0.3, 100.0)  # metres, of the median
NAMED = re.compile(r"depth|disp|kinect|lidar", re.IGNORECASE)
KNOWN = {  # stored value of a metre where paths tell whose files they are
    256.0: re.compile(r"proj_depth|kitti", re.IGNORECASE),
    5000.0: re.compile(r"freiburg|(^|/)\d+\.\d+\.png$"),  # TUM's are called by the seconds of a clock
}


class _Depth(Format):
    kinds: tuple[str, ...] = ("depth",)

    def __init__(self, *, scale: float | None = None, invalid: Sequence[float] = INVALID, cap: float = 10.0) -> None:
        self.scale, self.invalid, self.cap = scale, list(invalid), cap
        self.info = Info(depth_cap=cap)

    @staticmethod
    def stored(file: Path) -> np.ndarray:
        """Read the values of a file, (H,W), as they are stored."""
        raise NotImplementedError

    @classmethod
    def suggests(cls, root: Path, files: Sequence[Path]) -> Sequence[Mapping[str, Any]]:
        """The scale of KITTI or TUM where paths say so, else the first usual one with which the median is a distance.

        Paths count from the name of the root on. A cap too, where values reach out of a room.
        """
        values = np.concatenate([_measured(cls.stored(path), INVALID) for path in files[:4]])
        if not values.size:
            return [{}]
        middle, largest = float(np.median(values)), float(np.percentile(values, 99))
        paths = [below(root.parent, path).as_posix() for path in files]
        known = [scale for scale, words in KNOWN.items() if all(map(words.search, paths))]
        usual = (1.0, 1000.0) if values.dtype.kind == "f" else (*known, 1000.0, 256.0)
        for scale in usual:
            if PLAUSIBLE[0] <= middle / scale <= PLAUSIBLE[1]:
                far = largest / scale > 15
                return [{"scale": scale, **({"cap": 80.0} if far else {})}]
        return [{}]

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Ask for the scale: a wrong one would go unnoticed."""
        if self.scale is None and files:
            values = _measured(self.stored(files[0]), self.invalid)
            span = (
                f"{values.min():g} to {values.max():g}, {np.median(values):g} in the middle" if values.size else "none"
            )
            raise InputError(
                f"data.scale is not set: expected the stored value of a metre (1000 for millimetres, 5000 for TUM, 256 "
                f"for KITTI, 1 for metres); {files[0].name} stores {span}"
            )
        if self.scale is not None and self.scale <= 0:
            raise InputError(f"data.scale={self.scale}: expected the stored value of a metre, above 0")

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read metres, 0 where nothing was measured; a map of another size than its image is an error."""
        raw = self.stored(file)
        if size is not None and raw.shape != size:
            raise fault(file, f"{size_text(size)} pixels like its image", size_text((raw.shape[0], raw.shape[1])))
        assert self.scale is not None
        return {"depth": metres(raw, self.scale, self.invalid)}

    def doubts(self, file: Path, image: str, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name a map without any depth."""
        if annotations["depth"].any():
            return []
        return [str(fault(file, "metres somewhere", "none at all", "leave the image out"))]


@formats.register("depth")
class DepthPicture(_Depth):
    """Pictures of one channel of 8 or 16 bits, or of floats.

    Args:
        scale: stored value of a metre.
        invalid: stored values that are no depth.
        cap: largest depth that counts in metrics, metres.
    """

    title: ClassVar[str] = "depth pictures of 8 or 16 bits"
    suffixes: ClassVar[frozenset[str]] = PICTURES

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """16 bits; or 8, where names say so."""
        sort = sort_of(files)
        return sort == "deep" or (sort in ("grey", "labels") and all(called_depth(path) for path in files))

    @staticmethod
    def stored(file: Path) -> np.ndarray:
        """Read the values of a picture."""
        return plane_of(file)


@formats.register("depth_array")
class DepthArray(_Depth):
    """NumPy's .npy files, or OpenEXR's .exr, of numbers (H,W) or (H,W,1).

    EXR is read by OpenCV's codec, which has to be asked for by OPENCV_IO_ENABLE_OPENEXR=1; that is done here.

    Args:
        scale: stored value of a metre.
        invalid: stored values that are no depth.
        cap: largest depth that counts in metrics, metres.
    """

    title: ClassVar[str] = "depth arrays, npy or EXR"
    suffixes: ClassVar[frozenset[str]] = frozenset({".npy", ".exr"})

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """Arrays of two dimensions, in most that can be read."""
        sound = 0
        for path in files:
            try:
                cls.stored(path)
            except InputError:
                continue
            sound += 1
        return 2 * sound > len(files)

    @staticmethod
    def stored(file: Path) -> np.ndarray:
        """Read the numbers of an array."""
        array = _exr(file) if file.suffix.lower() == ".exr" else _npy(file)
        array = array[..., 0] if array.ndim == 3 and (array.shape[2] == 1 or _alike(array)) else array
        if array.ndim != 2 or array.dtype.kind not in "iuf":
            raise fault(file, "numbers of shape (H,W)", f"{array.dtype} {array.shape}")
        return array


def called_depth(path: Path) -> bool:
    """Whether the name of a file, or of one of the two folders around it, speaks of depth."""
    return bool(NAMED.search("/".join(path.parts[-3:])))


def metres(raw: np.ndarray, scale: float, invalid: Sequence[float]) -> np.ndarray:
    """Turn stored values into metres, float32, 0 where nothing was measured."""
    depth = raw.astype(np.float32) / np.float32(scale)
    depth[np.isin(raw, list(invalid)) | ~np.isfinite(raw)] = 0
    return depth


def _measured(raw: np.ndarray, invalid: Sequence[float]) -> np.ndarray:
    return raw[np.isfinite(raw) & ~np.isin(raw, list(invalid))]


def _alike(array: np.ndarray) -> bool:
    return bool((array[..., :3] == array[..., :1]).all())


def _npy(file: Path) -> np.ndarray:
    try:
        return np.asarray(np.load(file, allow_pickle=False))
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise fault(file, "a .npy file of numbers", reason(error)) from None


def _exr(file: Path) -> np.ndarray:
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")  # read when the codec is first used
    import cv2

    try:
        array = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        fix = "set OPENCV_IO_ENABLE_OPENEXR=1 before Python starts, or convert to .npy"
        raise fault(file, "OpenCV with its OpenEXR codec", reason(error), fix) from None
    if array is None:
        raise fault(file, "an EXR file that can be read to its end", "none")
    return np.asarray(array)
