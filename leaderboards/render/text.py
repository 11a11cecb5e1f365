"""Numbers and names as text, the same in every format."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable

from leaderboards.statistics import Estimate

DASH = "–"


def clean(text: str) -> str:
    """Put a string of a record on one line and take out what is invisible: control and direction characters."""
    return " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text).split())


def decimals(values: Iterable[float | None]) -> int:
    """Return how many decimals a column needs, from its largest magnitude: four significant digits or so."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return max(0, 4 - max(0, math.floor(math.log10(largest)) + 1)) if largest > 0 else 4


def number(value: float | None, places: int, sign: bool = False) -> str:
    """Write a number with fixed decimals and a true minus; None is a dash; zero has no sign."""
    if value is None:
        return DASH
    text = f"{value:+.{places}f}" if sign else f"{value:.{places}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def spread(value: Estimate | None, places: int) -> str:
    """Write mean and standard deviation: ``0.5321 ± 0.0042``; one seed has the mean alone."""
    if value is None:
        return DASH
    return number(value.mean, places) + ("" if value.std is None else f" ± {number(value.std, places)}")


def interval(value: Estimate | None, places: int, sign: bool = False) -> str:
    """Write the 95 % interval: ``[0.5217, 0.5425]``; a dash where it is unknown."""
    if value is None or value.low is None or value.high is None:
        return DASH
    return f"[{number(value.low, places, sign)}, {number(value.high, places, sign)}]"


def signed(gain: Estimate | None) -> str:
    """Write a gain with its interval: ``+0.0182 [+0.0104, +0.0259]``; a dash where it is unknown."""
    if gain is None:
        return DASH
    places = decimals([gain.mean])
    return f"{number(gain.mean, places, sign=True)} {interval(gain, places, sign=True)}"


def percent(value: Estimate | None, with_interval: bool = True) -> str:
    """Write a share in percent with its interval: ``41 % [20, 62]``; undefined is a dash, never 0."""
    if value is None:
        return DASH
    scaled = None if value.low is None or value.high is None else [100 * value.low, 100 * value.high]
    text = f"{number(100 * value.mean, 0)} %"
    return f"{text} [{number(scaled[0], 0)}, {number(scaled[1], 0)}]" if scaled and with_interval else text


def quantity(value: float | None) -> str:
    """Write a count with a decimal prefix and three significant digits: ``3.42 M``, ``1.30 G``."""
    if value is None:
        return DASH
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{significant(value / size)} {prefix}"
    return significant(value)


def measured(value: float | None) -> str:
    """Write a time, or an amount of memory, with three significant digits."""
    return DASH if value is None else significant(value)


def seconds(value: float | None) -> str:
    """Write a duration: ``48 s``, ``12 min``, ``3.4 h``."""
    if value is None:
        return DASH
    if value < 120:
        return f"{significant(value)} s"
    return f"{significant(value / 60)} min" if value < 7200 else f"{significant(value / 3600)} h"


def times(value: float | None) -> str:
    """Write a ratio: ``1.35 ×``."""
    return DASH if value is None else f"{value:.2f} ×"


def arrow(higher_is_better: bool) -> str:
    """Return the arrow that says which way is better."""
    return "↑" if higher_is_better else "↓"


def significant(value: float) -> str:
    """Write a number with three significant digits; a ratio of numbers beyond all measure is a dash."""
    if not math.isfinite(value):
        return DASH
    places = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:.{min(places, 6)}f}"
