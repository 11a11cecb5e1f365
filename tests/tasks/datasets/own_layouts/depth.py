"""Depth: pictures and arrays, sequences and drives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tasks.base import Sample
from tests.tasks.datasets.own_layouts.files import images, picture, text

SCALE, TUM, KITTI = 1000.0, 5000.0, 256.0  # stored values of a metre


def stored(sample: Sample, scale: float = SCALE) -> np.ndarray:
    """Depth as 16 bits, 0 where it is beyond them."""
    values = np.round(sample.annotations["depth"] * scale)
    return np.where(values < 65535, values, 0).astype(np.uint16)


def depth_pictures(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "rgb", samples, "rgb_{:05d}.png")
    for number, sample in enumerate(samples):
        picture(root / "depth" / f"depth_{number:05d}.png", stored(sample))


def depth_arrays(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "rgb", samples)
    (root / "depth").mkdir()
    for number, sample in enumerate(samples):
        np.save(root / "depth" / f"{number:03d}.npy", sample.annotations["depth"])


def depth_exr(root: Path, samples: Sequence[Sample]) -> None:
    """OpenEXR of floats, as renderers write them."""
    images(root / "rgb", samples)
    (root / "depth").mkdir()
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    for number, sample in enumerate(samples):
        assert cv2.imwrite(str(root / "depth" / f"{number:03d}.exr"), sample.annotations["depth"].astype(np.float32))


def tum(root: Path, samples: Sequence[Sample]) -> None:
    """TUM's sequence: timestamps that differ, and a list of pairs."""
    lines = []
    for number, sample in enumerate(samples):
        colour, depth = f"rgb/{100 + number / 10:.4f}.png", f"depth/{100.013 + number / 10:.4f}.png"
        picture(root / colour, sample.image)
        picture(root / depth, stored(sample, TUM))
        lines.append(f"{100 + number / 10:.4f} {colour} {100.013 + number / 10:.4f} {depth}")
    text(root / "associations.txt", "\n".join(lines))


def kitti(root: Path, samples: Sequence[Sample]) -> None:
    """KITTI's folders without lists: frames of one name in each drive, two cameras, one of them without depth."""
    for number, sample in enumerate(samples):
        drive, frame = f"2011_09_26_drive_{number % 3:04d}_sync", f"{number:010d}.png"
        for camera in ("image_00", "image_02"):
            picture(root / "2011_09_26" / drive / camera / "data" / frame, sample.image)
        picture(root / "train" / drive / "proj_depth" / "groundtruth" / "image_02" / frame, stored(sample, KITTI))
