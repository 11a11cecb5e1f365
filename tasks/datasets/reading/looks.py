"""Fixations of SALICON's JSON, and the densities that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tasks.annotations.fixations import Fixations
from tasks.datasets.reading.files import check_inside, fault, load_json, reason

Looks = Mapping[str, np.ndarray]  # name of the image's file -> points (K,2), x,y


def fixations_of(points: np.ndarray, size: tuple[int, int], sigma: float) -> Fixations:
    """Put points inside an image of ``size`` (H,W), and a Gaussian of ``sigma`` pixels around each."""
    height, width = size
    points = np.clip(points, 0.5, [width - 0.5, height - 0.5]).astype(np.float32)
    density = np.zeros((height, width))
    np.add.at(density, tuple(points[:, ::-1].astype(np.int64).T), 1)
    from scipy.ndimage import gaussian_filter  # heavy, and needed here alone

    return Fixations(gaussian_filter(density, sigma).astype(np.float32), points)


def read_looks(file: Path) -> Looks:
    """Read a JSON of fixations: those of all viewers of an image together, centres of pixels; InputError if faulty."""
    try:
        content = load_json(file)
        names = {image["id"]: str(image["file_name"]) for image in content["images"]}
        looks: dict[str, list[np.ndarray]] = {name: [] for name in names.values()}
        for each in content["annotations"]:
            looks[names[each["image_id"]]].append(np.array(each["fixations"], np.float64).reshape(-1, 2)[:, ::-1] - 0.5)
    except (OSError, ValueError, KeyError, TypeError) as error:
        wanted = "JSON with 'images' and 'annotations' of fixations [[row, column], ...]"
        raise fault(file, wanted, reason(error)) from None
    check_inside(file, looks)
    return {name: np.concatenate([np.zeros((0, 2)), *parts]) for name, parts in looks.items()}
