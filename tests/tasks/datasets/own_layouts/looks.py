"""Where people look: densities, and fixations in SALICON's JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.base import Sample
from tests.tasks.datasets.own_layouts.files import images, picture, text


def densities(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "stimuli", samples)
    for number, sample in enumerate(samples):
        picture(root / "maps" / f"{number:03d}.png", density_of(sample))


def density_of(sample: Sample) -> np.ndarray:
    height, width = sample.image.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    spread = np.exp(-((rows - height / 3) ** 2 + (columns - width / 2) ** 2) / (2 * (height / 6) ** 2))
    return np.round(255 * spread).astype(np.uint8)


def salicon(root: Path, samples: Sequence[Sample]) -> None:
    names = [path.name for path in images(root / "pictures", samples)]
    listed = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    looks = [
        {"id": number, "image_id": number, "fixations": [[3, 5], [10, 20 + number % 5]]} for number in range(len(names))
    ]
    text(root / "fixations.json", json.dumps({"images": listed, "annotations": looks}))
