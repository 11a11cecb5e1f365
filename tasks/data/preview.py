"""A contact sheet: the first samples of a dataset with all that is known of them, side by side."""

from __future__ import annotations

from PIL import Image

from tasks.annotations.kind import kind_of
from tasks.base import Dataset, Sample
from tasks.data.clips import frames
from tasks.data.resize import resize_sample
from tasks.data.sheet import lay_out

TILE = 208  # pixels: the longer side of every picture


def contact_sheet(dataset: Dataset, split: str = "train", rows: int = 6) -> Image.Image:
    """Draw the first ``rows`` samples of a split, one a row, one column for each frame and each kind that it has.

    Raises InputError as the dataset does, and for a kind of annotation that is not registered.
    """
    kinds = {name: kind_of(name) for name in sorted(dataset.provides)}
    pictures = []
    for index in range(min(rows, len(dataset.ids(split)))):
        sample = _enlarged(dataset.load(split, index))
        newest = frames(sample.image)[0]
        drawn = [kinds[name].draw(sample.annotations[name], newest, dataset.info) for name in kinds]
        pictures.append([*frames(sample.image), *drawn])
    earlier = [f"{back} before" for back in range(1, max(len(row) for row in pictures) - len(kinds))]
    return lay_out(pictures, ["image", *earlier, *(kind.title for kind in kinds.values())])


def _enlarged(sample: Sample) -> Sample:
    """Bring the longer side to TILE pixels before anything is drawn, so that lines and words are as thin everywhere."""
    height, width = sample.image.shape[:2]
    ratio = TILE / max(height, width)
    return resize_sample(sample, (max(1, round(height * ratio)), max(1, round(width * ratio))))
