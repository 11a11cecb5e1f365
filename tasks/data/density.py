"""Density maps of head points that keep the count."""

from __future__ import annotations

from typing import Literal

import numpy as np

TRUNCATE = 4.0  # sigmas, as scipy's gaussian_filter


def dot_map(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Count heads a pixel, int64 (H,W); points (K,2) are x,y; those outside the image count on its border."""
    dots = np.zeros(size, dtype=np.int64)
    x, y = np.floor(np.asarray(points, dtype=np.float64).reshape(-1, 2)).astype(np.int64).T
    np.add.at(dots, (y.clip(0, size[0] - 1), x.clip(0, size[1] - 1)), 1)
    return dots


def adaptive_sigmas(points: np.ndarray, size: tuple[int, int], beta: float = 0.3) -> np.ndarray:
    """Width of each head's kernel: ``beta`` times the mean distance to its three nearest others, in pixels.

    With fewer than four heads those that there are; a single head gets a quarter of the mean side. Zhang et al.
    (MCNN), CVPR 2016, section 2.2; the k and the rule for one head are those of its public implementations.
    """
    from scipy.spatial import KDTree  # takes a second, so not at the top

    neighbours = min(3, len(points) - 1)
    if neighbours < 1:
        return np.full(len(points), sum(size) / 8)
    distances, _ = KDTree(points).query(points, k=neighbours + 1)
    return beta * distances[:, 1:].mean(axis=1)


def _kernel(centre: int, sigma: float, length: int) -> tuple[slice, np.ndarray]:
    """Sample a Gaussian around a pixel, cut at the borders and normalised to one inside."""
    radius = int(TRUNCATE * sigma + 0.5)
    window = slice(max(0, centre - radius), min(length, centre + radius + 1))
    if radius == 0:
        return window, np.ones(1)
    values = np.exp(-0.5 * ((np.arange(window.start, window.stop) - centre) / sigma) ** 2)
    return window, values / values.sum()


def density_map(
    points: np.ndarray,
    size: tuple[int, int],
    sigma: float | None = None,
    compat: Literal["csrnet"] | None = None,
) -> np.ndarray:
    """Spread head points into heads a pixel, float64 (H,W), whose sum is the number of points.

    Heads on one pixel add up and points beyond the border count on it. A fixed kernel is reflected at the border
    (scipy's ``gaussian_filter``, as for ShanghaiTech B), an adaptive one is normalised inside the image.

    Args:
        points: (K,2), x,y in pixels.
        size: height and width of the map.
        sigma: of the fixed kernel, in pixels; None adapts it to the neighbours (``adaptive_sigmas``).
        compat: ``csrnet`` reproduces the CSRNet notebook's adaptive map, which merges heads on one pixel, skips those
            beyond the far border and loses what a kernel holds outside: for comparison with published maps alone.
    """
    from scipy.ndimage import gaussian_filter

    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if compat == "csrnet":
        return _csrnet_map(points, size)
    if sigma is not None:
        return gaussian_filter(dot_map(points, size).astype(np.float64), sigma, truncate=TRUNCATE)
    density = np.zeros(size)
    pixels = np.floor(points).astype(int).clip(0, [size[1] - 1, size[0] - 1])
    for (x, y), width in zip(pixels, adaptive_sigmas(points, size), strict=True):
        rows, down = _kernel(y, width, size[0])
        columns, across = _kernel(x, width, size[1])
        density[rows, columns] += np.outer(down, across)
    return density


def _csrnet_map(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Reproduce the geometry-adaptive map of the CSRNet notebook, count lost and all."""
    from scipy.ndimage import gaussian_filter

    inside = np.trunc(points).astype(int)
    inside = inside[(inside[:, 0] < size[1]) & (inside[:, 1] < size[0])]
    pixels = np.unique(inside[:, ::-1], axis=0)  # row-major, as np.nonzero lists them
    density = np.zeros(size, dtype=np.float32)
    if len(pixels) == 0:
        return density
    sigmas = adaptive_sigmas(pixels[:, ::-1], size)
    for (y, x), width in zip(pixels, sigmas, strict=True):
        dot = np.zeros(size, dtype=np.float32)
        dot[y, x] = 1
        density += gaussian_filter(dot, width, mode="constant")
    return density
