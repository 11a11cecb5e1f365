"""Numbers that a key of the configuration may hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``; ``above`` leaves the lower end out, ``below`` the upper."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False

    def __contains__(self, value: Any) -> bool:
        if not isinstance(value, int | float) or not math.isfinite(value):
            return False
        return (self.low < value if self.above else self.low <= value) and (
            value < self.high if self.below else value <= self.high
        )

    def __str__(self) -> str:
        low = "" if self.low == -math.inf else f"{'above' if self.above else 'at least'} {self.low:g}"
        high = "" if self.high == math.inf else f"{'below' if self.below else 'at most'} {self.high:g}"
        return " and ".join(filter(None, (low, high)))


POSITIVE, FROM_0, FROM_1 = Range(0, above=True), Range(0), Range(1)
SHARE, BELOW_1 = Range(0, 1), Range(0, 1, below=True)
SEED = Range(0, 2**53)  # that any reader of JSON takes for the same number
