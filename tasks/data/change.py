"""What augmentation does to a sample, in numbers, whoever does it: the host or the device."""

from __future__ import annotations

from dataclasses import dataclass

MIN_VISIBILITY = 0.25  # a box that keeps less of its area after cropping is dropped
BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)  # changes of colour, as albumentations numbers them


@dataclass(frozen=True)
class Change:
    """What augmentation does to one sample; every size and place is (H,W), or (y,x), in pixels.

    Its image is zoomed to ``size``, then ``pad`` rows and columns of black are put before it, and as many as it takes
    after it; the crop begins at ``start``; it is ``mirrored`` or not; then each of ``colours``, a kind of change and
    its factor, is made in turn.
    """

    size: tuple[int, int]
    pad: tuple[int, int]
    start: tuple[int, int]
    mirrored: bool
    colours: tuple[tuple[int, float], ...]
