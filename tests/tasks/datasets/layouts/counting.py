"""ShanghaiTech, UCF-QNRF and NWPU-Crowd."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tests.tasks.datasets.layouts.files import mat, picture


def heads(count: int, seed: int = 0) -> np.ndarray:
    """Draw head points inside 32x24 pixels."""
    return np.random.default_rng(seed).uniform((0, 0), (32, 24), (count, 2))


def head_mat(path: Path, points: np.ndarray, number: int | None = None) -> None:
    """Write ShanghaiTech's nested struct."""
    info = np.empty((1, 1), object)
    info[0, 0] = {"location": points, "number": [[len(points) if number is None else number]]}
    mat(path, image_info=info)


def shanghaitech(root: Path, part: str = "A", folder: str = "part_{}_final", truth: str = "ground_truth") -> Path:
    """Write ShanghaiTech: 11 training and 4 test images with 0, 1, 2, ... heads; one image is grey."""
    for split, count in (("train_data", 11), ("test_data", 4)):
        base = root / folder.format(part) / split
        for number in range(1, count + 1):
            picture(base / "images" / f"IMG_{number}.jpg", seed=number, mode="L" if number == 2 else "RGB")
            head_mat(base / truth / f"GT_IMG_{number}.mat", heads(number - 1, number))
    return root


def ucf_qnrf(root: Path) -> Path:
    """Write UCF-QNRF: 10 training and 3 test images."""
    for split, count in (("Train", 10), ("Test", 3)):
        for number in range(1, count + 1):
            picture(root / "UCF-QNRF_ECCV18" / split / f"img_{number:04d}.jpg", seed=number)
            mat(root / "UCF-QNRF_ECCV18" / split / f"img_{number:04d}_ann.mat", annPoints=heads(number, number))
    return root


def nwpu(root: Path, form: str = "jsons") -> Path:
    """Write NWPU-Crowd: 10 training and 3 validation images, the first without people; a test list without points."""
    lists = {"train": range(1, 11), "val": range(11, 14), "test": range(14, 16)}
    for split, numbers in lists.items():
        for number in numbers:
            picture(root / "images" / f"{number:04d}.jpg", seed=number)
            points = heads(number - 1, number)
            if split != "test" and form == "jsons":
                content = {"img_id": f"{number:04d}.jpg", "human_num": len(points), "points": points.tolist()}
                (root / "jsons").mkdir(exist_ok=True)
                (root / "jsons" / f"{number:04d}.json").write_text(json.dumps(content))
            elif split != "test":
                mat(root / "mats" / f"{number:04d}.mat", annPoints=points)
        (root / f"{split}.txt").write_text("\n".join(f"{number:04d} 1 {number % 5}" for number in numbers))
    return root
