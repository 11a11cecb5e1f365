"""Images and clips with the places where people looked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tests.tasks.datasets.layouts.files import grey, picture


def _looks(densities: Path, stem: str, points: Path | None = None) -> None:
    """Write a density and, where asked for, a map of points."""
    random = np.random.default_rng(int(stem[-2:]))
    grey(densities / f"{stem}.png", random.integers(0, 256, (24, 32), np.uint8))
    if points is not None:
        grey(points / f"{stem}.png", np.where(random.random((24, 32)) < 0.02, 255, 0).astype(np.uint8))


def dhf1k(root: Path) -> Path:
    """Write DHF1K: three training clips and a validation clip of four frames each, a clip whose looks are secret."""
    for clip in ("0001", "0002", "0600", "0601", "0701"):
        for number in range(1, 5):
            picture(root / "frames" / clip / f"{number:04d}.png", seed=number)
            if clip != "0701":
                looks = root / "annotation" / clip
                _looks(looks / "maps", f"{number:04d}", looks / "fixation")
    return root


def into_videos(frames: Path, videos: Path, frames_each: int | None = None) -> None:
    """Turn folders of frames, named by numbers, into ``601.AVI`` and the like (Motion JPEG), and remove them."""
    videos.mkdir()
    for folder in sorted(frames.iterdir()):
        pictures = [cv2.imread(str(path)) for path in sorted(folder.iterdir())][:frames_each]
        size = pictures[0].shape[1::-1]
        writer = cv2.VideoWriter(str(videos / f"{int(folder.name):03d}.AVI"), cv2.VideoWriter_fourcc(*"MJPG"), 30, size)
        for frame in pictures:
            writer.write(frame)
        writer.release()
    shutil.rmtree(frames)


def avs1k(root: Path) -> Path:
    """Write AVS1K: two training clips and one of each other split, three frames each."""
    clips = {"trainSet": ("Human_00001", "Vehicle_00002"), "validSet": ("Others_00003",), "testSet": ("Human_00004",)}
    for part, names in clips.items():
        for clip in names:
            for number in range(3):
                base = root / "2020-TIP-Fu-MMNet" / part
                picture(base / "Frame" / clip / f"{clip}_{number:05d}.png", seed=number)
                _looks(base / "Ground" / clip, f"{clip}_{number:05d}")
    return root


def mit1003(root: Path, count: int = 10) -> Path:
    """Write MIT1003: JPEG images, densities and points."""
    maps = root / "ALLFIXATIONMAPS"
    for number in range(count):
        picture(root / "ALLSTIMULI" / f"i{number:02d}.jpeg", seed=number)
        picture(maps / f"i{number:02d}_fixMap.jpg", seed=number, mode="L")
        marks = np.zeros((24, 32), np.uint8)
        marks[number, 5] = 255
        Image.fromarray(marks).save(maps / f"i{number:02d}_fixPts.jpg", quality=100)
    return root


def salicon(root: Path) -> Path:
    """Write SALICON: 8 training and 3 validation images, two viewers each, who both look at the very corner."""
    (root / "annotations").mkdir(parents=True)
    for split, count in (("train", 8), ("val", 3)):
        images = [{"id": i, "file_name": f"COCO_{split}2014_{i:012d}.jpg"} for i in range(count)]
        looks = [{"image_id": i // 2, "fixations": [[1 + i // 2, 2 + i % 2], [24, 32]]} for i in range(2 * count)]
        for number, image in enumerate(images):
            picture(root / "images" / split / str(image["file_name"]), seed=number)
        content = {"images": images, "annotations": looks}
        (root / "annotations" / f"fixations_{split}2014.json").write_text(json.dumps(content))
    return root


def clipfolder(root: Path) -> Path:
    """Write five clips of three frames, with densities and points."""
    for clip in "abcde":
        for number in range(3):
            picture(root / "frames" / clip / f"{number:02d}.jpg", seed=number)
            _looks(root / "maps" / clip, f"{number:02d}", root / "points" / clip)
    return root
