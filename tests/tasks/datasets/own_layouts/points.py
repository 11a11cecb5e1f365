"""Points: CSV, JSON, MATLAB, XML and dots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.io import savemat

from tasks.base import Sample
from tests.tasks.datasets.own_layouts.files import images, picture, text


def point_csv(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples, "IMG_{}.jpg")
    for number, sample in enumerate(samples):
        rows = [f"{x},{y}" for x, y in sample.annotations["points"].tolist()]
        text(root / "csv" / f"IMG_{number}.csv", "\n".join(["x,y", *rows]))


def point_table(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples)
    rows = ["filename,label,x,y"]
    for number, sample in enumerate(samples):
        points = sample.annotations["points"].tolist()
        rows += [f"{number:03d}.png,head,{x},{y}" for x, y in points] or [f"{number:03d}.png,,,"]
    text(root / "points.csv", "\n".join(rows))


def point_json(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples)
    for number, sample in enumerate(samples):
        text(root / "json" / f"{number:03d}.json", json.dumps({"points": sample.annotations["points"].tolist()}))


def point_json_table(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples)
    table = {
        f"{number:03d}.png": [{"x": x, "y": y} for x, y in sample.annotations["points"].tolist()]
        for number, sample in enumerate(samples)
    }
    text(root / "heads.json", json.dumps(table))


def point_mat(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples, "img_{:04d}.jpg")
    (root / "ann").mkdir()
    for number, sample in enumerate(samples):
        savemat(root / "ann" / f"img_{number:04d}_ann.mat", {"annPoints": sample.annotations["points"]})


def point_xml(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples)
    for number, sample in enumerate(samples):
        points = "".join(
            f"<object><name>head</name><point><x>{x}</x><y>{y}</y></point></object>"
            for x, y in sample.annotations["points"].tolist()
        )
        size = f"<size><width>{sample.image.shape[1]}</width><height>{sample.image.shape[0]}</height></size>"
        text(root / "xml" / f"{number:03d}.xml", f"<annotation>{size}{points}</annotation>")


def apart(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Keep points that lie three pixels apart, as the centres of their pixels."""
    kept: list[np.ndarray] = []
    for point in np.floor(np.minimum(points, np.array(size[::-1]) - 2)) + 0.5:
        if all(np.abs(point - other).max() > 3 for other in kept):
            kept.append(np.maximum(point, 1.5))
    return np.array(kept, np.float32).reshape(-1, 2)


def dots(root: Path, samples: Sequence[Sample]) -> None:
    """Red dots of a pixel or of three by three, named as the cells of VGG are."""
    for number, sample in enumerate(samples):
        picture(root / f"{number:03d}cell.png", sample.image)
        canvas = np.zeros_like(sample.image)
        for x, y in apart(sample.annotations["points"], sample.image.shape[:2]).astype(int).tolist():
            reach = number % 2
            canvas[y - reach : y + reach + 1, x - reach : x + reach + 1, 0] = 255
        picture(root / f"{number:03d}dots.png", canvas)
