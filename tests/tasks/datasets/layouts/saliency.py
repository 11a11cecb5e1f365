"""DUTS and the other sets of salient objects."""

from __future__ import annotations

from pathlib import Path

from tests.tasks.datasets.layouts.files import grey, labels, picture


def images_and_masks(images: Path, masks: Path, count: int = 10, image_ext: str = "jpg") -> None:
    """Write a folder of images and one of masks, every second of half the size."""
    for number in range(count):
        picture(images / f"im_{number:03d}.{image_ext}", seed=number)
        size = (12, 16) if number % 2 else (24, 32)
        grey(masks / f"im_{number:03d}.png", labels([0, 255], size, seed=number))


def duts(root: Path) -> Path:
    """Write DUTS and two of the other test sets."""
    images_and_masks(root / "DUTS-TR" / "DUTS-TR-Image", root / "DUTS-TR" / "DUTS-TR-Mask", 12)
    images_and_masks(root / "DUTS-TE" / "DUTS-TE-Image", root / "DUTS-TE" / "DUTS-TE-Mask", 3)
    images_and_masks(root / "ECSSD" / "images", root / "ECSSD" / "ground_truth_mask", 10)
    images_and_masks(root / "HKU-IS" / "imgs", root / "HKU-IS" / "gt", 4, "png")
    return root
