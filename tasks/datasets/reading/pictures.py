"""What a picture holds, told from its pixels: a photo, labels, colours, a mask, dots, grey values or depth."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from tasks.datasets.reading.files import fault, is_deep, mode_of, open_image, reason, too_deep
from tasks.errors import InputError

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".gif"})
LOSSY = frozenset({".jpg", ".jpeg", ".webp"})
ORIENTATION = 0x0112  # of EXIF
FEW = 64  # values or colours of a picture of labels
DOT = 60  # pixels: the largest mean area of a dot
SPARSE = 0.02  # the largest share of the pixels that dots cover
Sort = Literal["photo", "labels", "colours", "mask", "dots", "grey", "deep"]


@dataclass(frozen=True)
class Glance:
    """What one picture holds; ``values`` of its one plane, or ``colours``: None where there are more than FEW."""

    size: tuple[int, int]
    bits: int
    plane: bool  # one channel, or three that are alike
    values: tuple[int, ...] | None
    colours: tuple[tuple[int, int, int], ...] | None
    palette: bytes | None
    lit: float  # share of the pixels that are not black
    spots: int  # connected parts of these


def plane_of(path: Path) -> np.ndarray:
    """Read the one channel of a picture, (H,W): indices of a palette, 16 bits as stored, one of three that are alike.

    Raises InputError for a picture of colours, and for channels of more than 8 bits.
    """
    image = open_image(path)
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    if len(image.getbands()) == 1:
        return np.asarray(image)
    if found := too_deep(path, mode_of(path, image)):
        raise found
    array = np.asarray(image.convert("RGB"))
    if (array != array[..., :1]).any():
        raise fault(path, "one channel, or three that are alike", f"colours (mode {image.mode})", "see data.format")
    return array[..., 0]


def colours_of(path: Path) -> np.ndarray:
    """Read a picture as the colours that it shows, uint8 (H,W,3): those of its palette where it has one."""
    image = open_image(path)
    if found := too_deep(path, mode_of(path, image)):
        raise found
    return np.asarray(image.convert("RGB"))


def glance(path: Path) -> Glance:
    """Look at one picture; InputError where it cannot be read. What was seen is remembered until the file changes."""
    try:
        stat = path.stat()
    except OSError as error:  # a link to nothing
        raise fault(path, "an image", reason(error)) from None
    return _glance(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=512)
def _glance(path: Path, changed: int, length: int) -> Glance:
    image = open_image(path)
    size = (image.height, image.width)
    palette = bytes(image.getpalette() or []) if image.mode == "P" else None
    try:
        plane = plane_of(path)
    except InputError:
        array = np.asarray(image.convert("RGB"))
        colours = np.unique(pack(array))
        few = tuple(unpack(code) for code in colours.tolist()) if len(colours) <= FEW else None
        lit = np.asarray((array > 0).any(axis=2))
        return Glance(size, 8, False, None, few, None, float(lit.mean()), _spots(lit, few))
    found = np.unique(plane)
    whole = plane.dtype.kind in "iu" and len(found) <= FEW
    values = tuple(int(value) for value in found) if whole else None
    bits = 8 * plane.dtype.itemsize if image.mode[0] in "IF" else 8
    lit = plane > 0
    return Glance(size, bits, True, values, None, palette, float(lit.mean()), _spots(lit, values))


def _spots(lit: np.ndarray, few: Sequence[object] | None) -> int:
    if few is None or lit.mean() > SPARSE:  # no dots, whatever their number
        return 0
    return int(cv2.connectedComponents(lit.astype(np.uint8), connectivity=8)[0]) - 1


def pack(colours: np.ndarray) -> np.ndarray:
    """Write RGB (...,3) as one number a colour."""
    return colours.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])


def unpack(code: int) -> tuple[int, int, int]:
    """Read RGB from the number of a colour."""
    return code >> 16, code >> 8 & 255, code & 255


def sort_of(files: Sequence[Path]) -> Sort:
    """Say what pictures of one folder hold, from a few of them; those that cannot be read are passed over."""
    seen = []
    for path in files:
        try:
            seen.append(glance(path))
        except InputError:  # named when it is used or verified
            continue
    if not seen:
        return "photo"
    lossless = all(path.suffix.lower() not in LOSSY for path in files)
    if not all(each.plane for each in seen):
        few = lossless and all(each.colours is not None or each.values is not None for each in seen)
        return ("dots" if _dotted(seen) else "colours") if few else "photo"
    if any(each.bits > 8 for each in seen):
        return "deep"
    if not lossless or any(each.values is None for each in seen):
        return "grey"
    if len({each.palette for each in seen}) > 1:  # indices mean another colour in each
        return "colours"
    values = {value for each in seen for value in each.values or ()}
    if values <= {0, 1} or values <= {0, 255}:
        return "dots" if _dotted(seen) else "mask"
    return "labels"


def _dotted(seen: Sequence[Glance]) -> bool:
    """Whether all that is lit are a few small spots: several a picture, none of the size of an object."""
    lit = [each for each in seen if each.lit > 0]
    area = sum(each.lit * each.size[0] * each.size[1] for each in lit)
    spots = sum(each.spots for each in lit)
    return bool(lit) and all(each.lit <= SPARSE for each in lit) and spots >= 2 * len(lit) and area <= DOT * spots


@dataclass(frozen=True)
class Head:
    """What the first bytes of an image tell: its mode as ``mode_of`` names it, and whether an EXIF entry turns it."""

    mode: str
    transparent: bool
    turned: bool

    @property
    def deep(self) -> bool:
        """Whether values have more than 8 bits."""
        return is_deep(self.mode)

    def __str__(self) -> str:
        if self.deep:
            return "of more than 8 bits"
        if self.transparent:
            return "with transparency (dropped)"
        return "grey (repeated)" if self.mode in ("1", "L") else "in colour"


def head(path: Path) -> Head:
    """Read the first bytes of an image; InputError where they are none of an image."""
    try:
        with Image.open(path) as image:
            transparent = "A" in image.mode or "transparency" in image.info
            return Head(mode_of(path, image), transparent, image.getexif().get(ORIENTATION, 1) not in (0, 1))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise fault(path, "an image", reason(error)) from None
