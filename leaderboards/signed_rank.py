"""Whether a method is better over tasks: the Bayesian signed-rank test, with a region of practical equivalence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

ROPE = 0.05  # of the gap between control and teacher: a twentieth either way is no difference that matters
STRENGTH = 0.5  # of the prior, in tasks
DRAWS = 10_000
PLACES = 3  # that this many draws can tell


@dataclass(frozen=True)
class Posterior:
    """Probabilities that a method is better than the control, practically equivalent, or worse; they sum to one."""

    better: float
    equivalent: float
    worse: float


def signed_rank(gains: Sequence[float], rope: float = ROPE) -> Posterior | None:
    """Return the posterior of the signed-rank test of a method's gains, one a task; None where there is none.

    Benavoli, Corani, Demsar and Zaffalon, JMLR 18 (2017), section 4.2: with a Dirichlet process as prior (a pseudo-task
    at zero, of weight 0.5) the weights w of pseudo-task and tasks are Dirichlet(0.5, 1, ..., 1), and of all pairs of
    tasks ``sum w_i w_j`` is taken where ``(z_i + z_j) / 2`` lies above, within and below the region. Returned is how
    often each of the three is the largest. The draws are fixed, so that equal gains give equal probabilities.
    """
    if not gains:
        return None
    z = np.array([0.0, *gains])
    middle = (z[:, None] + z) / 2
    weights = _weights(len(z))
    above, below = (_share(weights, pairs) for pairs in (middle > rope, middle < -rope))
    shares = np.stack([above, 1 - above - below, below])
    largest = np.bincount(shares.argmax(axis=0), minlength=3) / len(weights)
    better, worse = round(float(largest[0]), PLACES), round(float(largest[2]), PLACES)
    return Posterior(better, round(1 - better - worse, PLACES), worse)


def _share(weights: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    return ((weights @ pairs.astype(np.float64)) * weights).sum(axis=1)


@lru_cache(maxsize=64)
def _weights(n: int) -> np.ndarray:
    draw = np.random.default_rng([2017, n])
    return draw.dirichlet([STRENGTH, *[1.0] * (n - 1)], DRAWS)
