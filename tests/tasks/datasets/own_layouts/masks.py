"""Masks: labels, palettes, colours, binary and continuous ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.base import IGNORE, Sample
from tests.tasks.datasets.own_layouts.files import images, picture, text


def label_masks(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "pics", samples)
    for number, sample in enumerate(samples):
        picture(root / "labels" / f"{number:03d}.png", sample.annotations["classes"])


def palette_masks(root: Path, samples: Sequence[Sample]) -> None:
    """One list of names, folders for splits."""
    for number, sample in enumerate(samples):
        split = ("train", "train", "train", "val", "test")[number % 5]
        picture(root / "images" / split / f"{number:03d}.jpg", sample.image)
        mask = Image.fromarray(sample.annotations["classes"])
        mask.putpalette([(37 * i + 11 * c) % 256 for i in range(256) for c in range(3)])
        path = root / "masks" / split / f"{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        mask.save(path)
    top = max(int(each.annotations["classes"][each.annotations["classes"] < IGNORE].max()) for each in samples)
    text(root / "classes.txt", "\n".join(f"thing {label}" for label in range(top + 1)))


def colour_of(label: int) -> tuple[int, int, int]:
    return 5 * label % 256, (255 - 3 * label) % 256, 17 * label % 256


def colour_masks(root: Path, samples: Sequence[Sample]) -> None:
    """Colours with a table of them."""
    images(root / "photos", samples)
    labels = sorted({int(value) for sample in samples for value in np.unique(sample.annotations["classes"])})
    table = np.array([colour_of(label) for label in range(256)], np.uint8)
    for number, sample in enumerate(samples):
        picture(root / "coloured" / f"{number:03d}_color.png", table[sample.annotations["classes"]])
    rows = [f"thing {label},{','.join(map(str, colour_of(label)))}" for label in labels]
    text(root / "class_dict.csv", "\n".join(["name,r,g,b", *rows]))


def binary_masks(root: Path, samples: Sequence[Sample]) -> None:
    """Images and masks in one folder."""
    images(root, samples, "cat_{}.jpg")
    for number, sample in enumerate(samples):
        picture(root / f"cat_{number}_mask.png", 255 * (sample.annotations["mask"] == 1).astype(np.uint8))


def soft_masks(root: Path, samples: Sequence[Sample]) -> None:
    """Continuous maps, above 128 where the object is."""
    images(root / "image", samples)
    for number, sample in enumerate(samples):
        ramp = np.linspace(0, 90, sample.annotations["mask"].size).reshape(sample.annotations["mask"].shape)
        grey = (ramp + 150 * (sample.annotations["mask"] == 1)).astype(np.uint8)
        picture(root / "saliency_maps" / f"{number:03d}.png", grey)
