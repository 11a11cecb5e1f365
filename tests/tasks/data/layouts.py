"""Writers of small datasets in their official layouts, so that readers are tested without downloads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

SPLITS = {"train": 4, "val": 2, "test": 3}


def picture(path: Path, size: tuple[int, int] = (24, 32), seed: int = 0, mode: str = "RGB") -> None:
    """Write random pixels; ``size`` is (H,W)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = size if mode == "L" else (*size, 3)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8)).save(path)


def grey(path: Path, values: np.ndarray) -> None:
    """Write an array as a single-channel PNG, 8 or 16 bits as its type says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def labels(values: list[int], size: tuple[int, int] = (24, 32), seed: int = 0) -> np.ndarray:
    """Draw a map (H,W) uint8 of the given labels; each occurs."""
    drawn = np.random.default_rng(seed).choice(np.array(values, np.uint8), size)
    drawn.ravel()[: len(values)] = values
    return drawn


def truncate(path: Path, keep: float = 0.5) -> None:
    """Cut a file short."""
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])


def camvid(root: Path, counts: Mapping[str, int] = SPLITS) -> Path:
    """Write CamVid as SegNet packages it, with the dead prefix in its lists."""
    for split, count in counts.items():
        lines = []
        for number in range(count):
            name = f"{split}_{number:04d}.png"
            picture(root / split / name, seed=number)
            grey(root / f"{split}annot" / name, labels(list(range(12)), seed=number))
            lines.append(f"/SegNet/CamVid/{split}/{name} /SegNet/CamVid/{split}annot/{name}")
        (root / f"{split}.txt").write_text("\n".join(lines))
    return root
