"""Errors of crowd counts, over whole images and over their cells."""

from __future__ import annotations

import math

import numpy as np

from tasks.data.density import dot_map
from tasks.metrics.per_image import PerImage

LEVELS = 4  # GAME 0 to 3
SIZES = ((0, "0"), (100, "1-100"), (500, "101-500"), (5000, "501-5000"), (math.inf, ">5000"))  # NWPU-Crowd


def _edges(length: int, cells: int) -> list[int]:
    return [i * length // cells for i in range(cells)]


def count_cells(density: np.ndarray, cells: int) -> np.ndarray:
    """Sum a density map (H,W) over ``cells`` x ``cells`` windows with borders at i*H//cells, in float64.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.counting import count_cells
        >>> count_cells(np.ones((4, 6)), 2).tolist()
        [[6.0, 6.0], [6.0, 6.0]]
    """
    padded = np.zeros((density.shape[0] + 1, density.shape[1] + 1))
    padded[1:, 1:] = density.astype(np.float64).cumsum(0).cumsum(1)
    rows = [*_edges(density.shape[0], cells), density.shape[0]]
    columns = [*_edges(density.shape[1], cells), density.shape[1]]
    return np.diff(np.diff(padded[np.ix_(rows, columns)], axis=0), axis=1)


class CountErrors(PerImage):
    """MAE, RMSE (crowd papers print it as "MSE"), NAE and GAME(0) to GAME(3).

    The true count is the number of annotated points; negative densities count. NAE = mean |c - c'| / c leaves out
    images without a head, as the NWPU-Crowd server does. GAME(L) (Guerrero-Gomez-Olmedo et al., IbPRIA 2015) sums
    the absolute errors of 4^L cells, then takes the mean over images; GAME(0) is the MAE.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.counting import CountErrors
        >>> errors = CountErrors()
        >>> errors.update(np.full((4, 4), 0.25), np.array([[1.0, 1.0], [2.0, 3.0]]))  # four heads where there are two
        >>> errors.compute()["mae"]
        2.0
    """

    def update(self, prediction: np.ndarray, truth: np.ndarray) -> None:
        """Add one image: density in heads a pixel, (H,W) at the image's size, and head points (K,2) as x,y."""
        heads = dot_map(truth, (prediction.shape[0], prediction.shape[1]))
        games = [
            np.abs(count_cells(prediction, 2**level) - count_cells(heads, 2**level)).sum() for level in range(LEVELS)
        ]
        self.rows.append(np.array([len(truth), prediction.sum(dtype=np.float64), *games]))

    def compute(self) -> dict[str, float]:
        """Return ``mae``, ``rmse``, ``nae`` and ``game0`` to ``game3``, in heads (NAE is a ratio)."""
        columns = self.columns().reshape(-1, 2 + LEVELS)
        true, error = columns[:, 0], np.abs(columns[:, 0] - columns[:, 1])
        return {
            "mae": self.mean(error),
            "rmse": math.sqrt(self.mean(error**2)),
            "nae": self.mean(error[true > 0] / true[true > 0]),
            **{f"game{level}": self.mean(columns[:, 2 + level]) for level in range(LEVELS)},
        }

    def score(self, name: str) -> float:
        """Return one score, the MAE without the others."""
        if name != "mae":
            return super().score(name)
        return self.mean(np.array([abs(row[0] - row[1]) for row in self.rows]))

    def per_class(self) -> dict[str, float]:
        """Return the MAE by the size of the crowd, in NWPU-Crowd's levels; NaN for a level without an image."""
        columns = self.columns().reshape(-1, 2 + LEVELS)
        true, error = columns[:, 0], np.abs(columns[:, 0] - columns[:, 1])
        level = np.searchsorted([limit for limit, _ in SIZES], true)
        return {f"{name} heads": self.mean(error[level == i]) for i, (_, name) in enumerate(SIZES)}
