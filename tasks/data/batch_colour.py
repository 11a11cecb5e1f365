"""Changes of colour of a batch on the device; every pixel is a function of its own sample alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tasks.data.batch_geometry import uploaded
from tasks.data.change import CONTRAST, SATURATION, Change

GREY = (9798.0, 19235.0, 3735.0)  # of 2 ** 15: OpenCV's weights of red, green and blue
ROUNDS = 3  # changes a sample: brightness, contrast and saturation, in an order of its own


def recoloured(images: Tensor, changes: Sequence[Change]) -> Tensor:
    """Change brightness, contrast and saturation of uint8 images (N,H,W,3T); all frames of a clip alike.

    Each change is ``factor x + (1 - factor) y``: y is black, the image's mean grey, or the pixel's own grey. After each
    the values are whole numbers again, rounded as albumentations does: saturation to the nearest, the others down.
    """
    if not any(change.colours for change in changes):
        return images
    pixels = images.unflatten(-1, (-1, 3)).float()  # whole numbers, whose sums below 2 ** 24 are exact
    for terms in uploaded(_table(changes), images.device)[:, :, :, None, None, None, None]:
        factor, to_mean, to_grey, rounding = terms
        weighted = GREY[0] * pixels[..., :1] + GREY[1] * pixels[..., 1:2] + GREY[2] * pixels[..., 2:]
        grey = ((weighted + 2.0**14) * 2.0**-15).floor()
        mean = grey.sum(dim=(1, 2, 3, 4), keepdim=True, dtype=torch.int64) / grey[0].numel()
        pixels.mul_(factor).add_(to_grey * grey + (to_mean * mean + rounding)).clamp_(0, 255).floor_()
    return pixels.to(torch.uint8).flatten(-2)


def _table(changes: Sequence[Change]) -> np.ndarray:
    """Lay out the terms of each round, float32 (ROUNDS,4,N); of a sample that is left as it is, those of no change."""
    table = np.zeros((ROUNDS, 4, len(changes)))
    table[:, 0] = 1
    for sample, change in enumerate(changes):
        for turn, (kind, factor) in enumerate(change.colours):
            saturates = kind == SATURATION
            table[turn, :, sample] = (
                factor,
                (1 - factor) * (kind == CONTRAST),
                (1 - factor) * saturates,
                0.5 * saturates,
            )
    return table.astype(np.float32)
