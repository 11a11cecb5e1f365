"""Surfaces: two colours in a pattern of stripes or checks, mottled by noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PERIOD = 256  # texels after which the noise repeats


def _fractal(octaves: tuple[int, ...]) -> np.ndarray:
    """Add value noise of several frequencies, each half as strong as the one before; tiles; spans 0 to 1."""
    rng = np.random.default_rng(20240229)
    total = np.zeros((PERIOD, PERIOD))
    for order, cells in enumerate(octaves):
        lattice = rng.random((cells, cells))
        position = np.arange(PERIOD) * cells / PERIOD
        start = position.astype(int)
        part = position - start
        blend = part * part * (3 - 2 * part)
        after = (start + 1) % cells
        rows = lattice[start] + (lattice[after] - lattice[start]) * blend[:, None]
        total += (rows[:, start] + (rows[:, after] - rows[:, start]) * blend) / 2**order
    low, high = total.min(), total.max()
    return ((total - low) / (high - low)).astype(np.float32)


NOISE = _fractal((8, 16, 32, 64, 128))


def noise(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Look the noise up at texel coordinates of any sign."""
    return NOISE[v.astype(np.int32) & (PERIOD - 1), u.astype(np.int32) & (PERIOD - 1)]


@dataclass(frozen=True)
class Material:
    """A surface: colours are linear RGB; ``along`` and ``across`` are the axes of its pattern, in cycles a metre.

    A zero ``across`` makes stripes, two axes make checks, none leaves the first colour. ``mottle`` is the amplitude of
    the noise, ``grain`` its texels a metre.
    """

    first: tuple[float, float, float]
    second: tuple[float, float, float]
    along: tuple[float, float, float] = (0.0, 0.0, 0.0)
    across: tuple[float, float, float] = (0.0, 0.0, 0.0)
    mottle: float = 0.3
    grain: float = 24.0


def paint(
    materials: list[Material], surface: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray, depth: np.ndarray
) -> np.ndarray:
    """Return the albedo (3,H,W) of points in the world, ``surface`` (H,W) being the index of each one's material.

    The pattern and the noise fade with distance, as they do for a lens that no longer resolves them.
    """
    rows = [(*m.first, *m.second, *m.along, *m.across, m.mottle, m.grain) for m in materials]
    table = np.ascontiguousarray(np.array(rows, np.float32).T).take(surface, axis=1)
    first, second, along, across = table[0:3], table[3:6], table[6:9], table[9:12]
    mottle, grain = table[12], table[13]
    u = along[0] * x + along[1] * y + along[2] * z
    v = across[0] * x + across[1] * y + across[2] * z
    odd = (u - np.floor(u) < 0.5) ^ (v - np.floor(v) < 0.5)
    near = np.minimum(1, 9 / depth)
    share = np.where(odd, 0.5 - 0.5 * near, 0.5 + 0.5 * near)
    column, row = (x + 0.6 * y) * grain, (z + 0.8 * y) * grain
    grey = noise(column, row) + noise(column * 0.21 + 77, row * 0.21) - 1
    albedo = first + (second - first) * share
    return np.maximum(albedo * (1 + mottle * (0.4 + 0.6 * near) * 2 * grey), 0.01)
