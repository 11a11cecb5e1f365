"""NYU Depth v2, KITTI and frames of an RGB-D camera."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from tests.tasks.datasets.layouts.files import grey, mat, picture


def depth_map(path: Path, size: tuple[int, int] = (24, 32), seed: int = 0) -> None:
    """Write a 16-bit depth map of 500..5000 with some holes."""
    values = np.random.default_rng(seed).integers(500, 5000, size).astype(np.uint16)
    values[:2] = 0
    grey(path, values)


def nyuv2(root: Path, listed: bool = False) -> Path:
    """Write NYU Depth v2 as BTS does: three training scenes of three frames, one test scene of two."""
    scenes = [("sync", "kitchen_0001"), ("sync", "kitchen_0002"), ("sync", "office_0001")]
    for place, scene in [*scenes, ("official_splits/test", "bathroom")]:
        for number in range(3 if place == "sync" else 2):
            picture(root / place / scene / f"rgb_{number:05d}.jpg", seed=number)
            depth_map(root / place / scene / f"sync_depth_{number:05d}.png", seed=number)
    if listed:
        frames = [(scene, number) for _, scene in scenes for number in (0, 2)]
        lines = [f"/{scene}/rgb_{n:05d}.jpg /{scene}/sync_depth_{n:05d}.png 518.8579" for scene, n in frames]
        (root / "nyudepthv2_train_files_with_gt.txt").write_text("\n".join(lines))
    return root


def nyuv2_labeled(root: Path) -> Path:
    """Write NYU Depth v2 as one MATLAB 7.3 file: 8 images of four scenes, indices 1..5 train and 6..8 test."""
    random = np.random.default_rng(0)
    root.mkdir(parents=True, exist_ok=True)
    with h5py.File(root / "nyu_depth_v2_labeled.mat", "w") as file:
        file["images"] = random.integers(0, 256, (8, 3, 32, 24), np.uint8)  # MATLAB's axes, reversed
        file["depths"] = random.uniform(0.7, 9.0, (8, 32, 24)).astype(np.float32)
        for number, scene in enumerate(("kitchen_0001", "office_0001", "study_0001", "bathroom_0001")):
            file[f"#refs#/{number}"] = np.array([[ord(letter)] for letter in scene], np.uint16)
        names = [file[f"#refs#/{index}"].ref for index in (0, 0, 1, 1, 2, 3, 3, 3)]
        file["scenes"] = np.array([names], dtype=h5py.ref_dtype)
    mat(root / "splits.mat", trainNdxs=np.arange(1, 6)[:, None], testNdxs=np.arange(6, 9)[:, None])
    return root


def kitti(root: Path, raw: str = "", truth: str = "") -> Path:
    """Write KITTI: two training drives of three frames and a test drive of two, one of them without depth."""
    drives = [("2011_09_26", "0001", "train", 3), ("2011_09_28", "0002", "train", 3), ("2011_09_26", "0009", "val", 2)]
    lines: dict[str, list[str]] = {"train": [], "val": []}
    for date, number, split, count in drives:
        drive = f"{date}_drive_{number}_sync"
        for frame in range(5, 5 + count):
            image = f"{date}/{drive}/image_02/data/{frame:010d}.png"
            target = f"{drive}/proj_depth/groundtruth/image_02/{frame:010d}.png"
            picture(root / raw / image, seed=frame)
            if split == "val" and frame == 6:
                target = "None"
            else:
                depth_map(root / truth / split / target, seed=frame)
            lines[split].append(f"{image} {target} 721.5377")
    (root / "eigen_train_files_with_gt.txt").write_text("\n".join(lines["train"]))
    (root / "eigen_test_files_with_gt.txt").write_text("\n".join(lines["val"]) + "\n")
    return root


def rgbd(root: Path, count: int = 40) -> Path:
    """Write frames as 7-Scenes does, every fifth one; numbers are not padded."""
    for number in range(0, 5 * count, 5):
        picture(root / f"frame-{number}.color.jpg", seed=number)
        depth_map(root / f"frame-{number}.depth.png", seed=number)
    return root
