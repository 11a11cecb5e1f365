"""Where people look in a clip: a law, so that what can be learned of it is known."""

from __future__ import annotations

import math

import numpy as np

from tasks.datasets.rendering.motion import Clip
from tasks.datasets.rendering.render import Rendering

STANDING = 1.0  # what an object or a person is worth that stands still,
VIVID = 3.0  # what the conspicuous object is worth beside it,
MOVING = 16.0  # and what motion against the ground is worth, at FAST or more;
FAST = 0.04  # image widths a frame
CENTRE = 0.06  # share of looks that go to the middle of the image, whatever there is
SMALL = 0.004  # share of the image: what shows less is worth less, in proportion
BLUR = 0.035  # image widths: the deviation of looks around what they aim at
WIDTH = 0.25  # image widths: the deviation of those that go to the middle
LOOKS = 14  # fixations a frame


def density(clip: Clip, time: int, rendering: Rendering) -> np.ndarray:
    """Say where people look at a frame, float32 (H,W), summing to one.

    An object or a person is worth ``STANDING + VIVID [if conspicuous] + MOVING min(1, speed / FAST)``, its speed being
    that of ``Clip.speeds``: motion against the ground, whatever the camera does. Its looks are spread evenly over the
    pixels that show it, those of small things are fewer, and all are blurred. A fixed share goes to the middle.
    """
    speed = clip.speeds(time)
    worth = STANDING + MOVING * np.minimum(1.0, speed / FAST)
    worth[clip.scene.salient] += VIVID
    size = len(rendering.owner)
    pixels = np.bincount(rendering.owner.ravel(), minlength=1 + len(worth))[1:]
    each = worth / np.maximum(pixels, SMALL * size**2)
    aimed = np.concatenate([[0.0], each])[rendering.owner]
    looked = _blurred(aimed)
    middle = np.multiply.outer(*[_bell(np.arange(size) - (size - 1) / 2, WIDTH * size)] * 2)
    total = np.cumsum(looked)[-1]
    share = CENTRE if total > 0 else 1.0
    spread = (1 - share) * looked / max(total, 1e-12) + share * middle / np.cumsum(middle)[-1]
    return spread.astype(np.float32)


def looks(density: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw LOOKS fixations from a density, float32 (K,2), x,y; two may fall on one pixel."""
    reach = np.cumsum(density.astype(np.float64))
    pixel = np.searchsorted(reach, rng.random(LOOKS) * reach[-1], side="right")
    rows, columns = np.divmod(np.minimum(pixel, density.size - 1), density.shape[1])
    return (np.stack([columns, rows], axis=1) + 0.5).astype(np.float32)


def _bell(distance: np.ndarray, deviation: float) -> np.ndarray:
    """A Gaussian of distances in pixels, by Python's own exponential: the same on every processor."""
    return np.array([math.exp(-0.5 * (each / deviation) ** 2) for each in distance.tolist()])


def _blurred(values: np.ndarray) -> np.ndarray:
    """Blur with a Gaussian of BLUR; beyond the border there is nothing."""
    reach = math.ceil(3 * BLUR * len(values))
    kernel = _bell(np.arange(-reach, reach + 1), BLUR * len(values))
    for _ in range(2):
        padded = np.pad(values, ((reach, reach), (0, 0)))
        values = np.zeros_like(values)
        for place, weight in enumerate(kernel.tolist()):
            values += weight * padded[place : place + len(values)]
        values = values.T
    return values
