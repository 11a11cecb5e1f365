"""Colours for label maps."""

from __future__ import annotations


def voc_colours(count: int) -> tuple[tuple[int, int, int], ...]:
    """Return the first RGB colours of Pascal VOC's palette, all different up to 256.

    Bit 3k+c of a label is bit 7-k of channel c (VOC 2012 development kit).
    """
    return tuple((_channel(label), _channel(label >> 1), _channel(label >> 2)) for label in range(count))


def _channel(bits: int) -> int:
    return sum((bits >> 3 * k & 1) << (7 - k) for k in range(3))
