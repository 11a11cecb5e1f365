"""Single files as datasets have them: pictures, maps, MATLAB files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat


def picture(path: Path, size: tuple[int, int] = (24, 32), seed: int = 0, mode: str = "RGB") -> None:
    """Write random pixels; ``size`` is (H,W)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = size if mode == "L" else (*size, 3)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8)).save(path)


def grey(path: Path, values: np.ndarray) -> None:
    """Write an array as a single-channel PNG, 8 or 16 bits as its type says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def palette(path: Path, values: np.ndarray) -> None:
    """Write indices as a palette PNG whose colours say nothing of the indices."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    image.putpalette([(37 * i + 11 * c) % 256 for i in range(256) for c in range(3)])
    image.save(path)


def mat(path: Path, **variables: Any) -> None:
    """Write a MATLAB file; dicts become structs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, variables)
    content = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + content[116:])  # without the time of writing


def labels(values: list[int], size: tuple[int, int] = (24, 32), seed: int = 0) -> np.ndarray:
    """Draw a map (H,W) uint8 of the given labels; each occurs."""
    drawn = np.random.default_rng(seed).choice(np.array(values, np.uint8), size)
    drawn.ravel()[: len(values)] = values
    return drawn


def truncate(path: Path, keep: float = 0.5) -> None:
    """Cut a file short."""
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
