import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboards.render import text
from leaderboards.statistics import Estimate, estimate


@given(st.text())
def test_cleaned_text_is_one_visible_line(value):
    found = text.clean(value)
    assert found == text.clean(found)
    assert all(c.isprintable() or c == " " or not c.isascii() for c in found)
    assert not set(found) & set("\n\r\t\u202e\u2066\u200b\u2028\x00")


@pytest.mark.parametrize(
    ("values", "places"), [([0.51], 4), ([5.1], 3), ([51.0, 2.0], 2), ([512.0], 1), ([5120.0], 0), ([], 4), ([0.0], 4)]
)
def test_decimals_give_four_digits(values, places):
    assert text.decimals(values) == places


def test_numbers():
    assert text.number(-0.5, 2, sign=True) == "−0.50"
    assert text.number(0.5, 2, sign=True) == "+0.50"
    assert text.number(-0.001, 2, sign=True) == "0.00"
    assert text.number(None, 2) == "–"
    assert text.measured(math.inf) == "–"


def test_estimates():
    found = estimate([0.50, 0.52, 0.54])
    assert text.spread(found, 3) == "0.520 ± 0.020"
    assert text.interval(found, 3) == "[0.470, 0.570]"
    assert text.spread(estimate([0.5]), 3) == "0.500"
    assert text.interval(estimate([0.5]), 3) == "–"
    assert text.spread(None, 3) == "–"


def test_shares():
    assert text.percent(Estimate(0.414, 3, None, 0.201, 0.62)) == "41 % [20, 62]"
    assert text.percent(Estimate(-0.414, 3, None, -1.2, 0.1)) == "−41 % [−120, 10]"
    assert text.percent(None) == "–"


@pytest.mark.parametrize(
    ("value", "shown"), [(1_234_567, "1.23 M"), (26e6, "26.0 M"), (9e9, "9.00 G"), (312, "312"), (0, "0"), (None, "–")]
)
def test_quantities(value, shown):
    assert text.quantity(value) == shown


def test_durations():
    assert [text.seconds(v) for v in (48.2, 720, 12_240, None)] == ["48.2 s", "12.0 min", "3.40 h", "–"]
    assert text.times(1.349) == "1.35 ×"
    assert text.measured(0.01234) == "0.0123"


@given(st.floats(0, 1e13))
def test_any_quantity_has_at_most_three_significant_digits_after_its_prefix(value):
    shown = float(text.quantity(value).split()[0])
    assert shown <= 1000
    assert math.isfinite(shown)
