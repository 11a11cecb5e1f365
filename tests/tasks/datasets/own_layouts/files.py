"""Single files of a set: pictures, texts, numbered images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.base import Sample


def picture(path: Path, array: np.ndarray) -> Path:
    """Write an array as a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def text(path: Path, content: str) -> Path:
    """Write a text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def images(folder: Path, samples: Sequence[Sample], name: str = "{:03d}.png") -> list[Path]:
    """Write the images of samples, numbered."""
    return [picture(folder / name.format(number), sample.image) for number, sample in enumerate(samples)]
