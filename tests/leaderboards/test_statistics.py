import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from leaderboards.statistics import Estimate, differences, estimate, gap_recovered, holm

values = st.lists(st.floats(-100, 100).map(lambda v: round(v, 6)), min_size=2, max_size=12)


@given(values)
def test_estimate_equals_statsmodels(sample):
    found, reference = estimate(sample), DescrStatsW(sample)
    assert found.n == len(sample)
    assert found.mean == pytest.approx(reference.mean, abs=1e-9)
    assert found.std == pytest.approx(np.std(sample, ddof=1), abs=1e-9)
    if found.std > 0:
        assert (found.low, found.high) == pytest.approx(reference.tconfint_mean(0.05), abs=1e-8)


def test_estimate_of_three_seeds_by_hand():
    found = estimate([0.50, 0.52, 0.54])
    half = 4.302652729911275 * 0.02 / math.sqrt(3)
    assert (found.mean, found.std) == (pytest.approx(0.52), pytest.approx(0.02))
    assert (found.low, found.high) == (pytest.approx(0.52 - half), pytest.approx(0.52 + half))


def test_one_seed_has_no_interval_and_none_has_nothing():
    assert (estimate([0.5]).std, estimate([0.5]).low, estimate([0.5]).high) == (None, None, None)
    assert estimate([]) is None


def test_equal_values_have_no_width():
    found = estimate([0.8, 0.8, 0.8])
    assert (found.mean, found.std, found.low, found.high) == (0.8, 0.0, 0.8, 0.8)


def test_gain_is_paired_by_seed():
    method, control = {0: 0.6, 1: 0.7, 3: 0.9}, {0: 0.5, 1: 0.65, 2: 0.1}
    assert differences(method, control, True) == (0.6 - 0.5, 0.7 - 0.65)
    reference = stats.ttest_rel([0.6, 0.7], [0.5, 0.65]).confidence_interval(0.95)
    found = estimate(differences(method, control, True))
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))
    assert differences(method, {7: 1.0}, True) == ()


def test_gain_is_positive_for_the_better_whatever_the_direction():
    assert differences({0: 2.0}, {0: 3.0}, higher_is_better=False) == (1.0,)
    assert differences({0: 2.0}, {0: 3.0}, higher_is_better=True) == (-1.0,)


def test_gap_by_hand_and_its_interval_inverts_the_paired_t_test():
    method, control, teacher = {0: 0.55, 1: 0.56, 2: 0.58}, {0: 0.50, 1: 0.51, 2: 0.505}, 0.60
    found = gap_recovered(method, control, teacher, True)
    assert found.mean == pytest.approx((0.05 + 0.05 + 0.075) / (0.10 + 0.09 + 0.095))
    assert found.low < found.mean < found.high
    for bound in (found.low, found.high):
        residuals = [method[s] - control[s] - bound * (teacher - control[s]) for s in method]
        assert stats.ttest_1samp(residuals, 0).pvalue == pytest.approx(0.05, abs=1e-9)


def test_gap_flips_with_the_direction():
    method, control = {0: 0.55, 1: 0.56, 2: 0.58}, {0: 0.50, 1: 0.51, 2: 0.505}
    higher = gap_recovered(method, control, 0.6, True)
    lower = gap_recovered({s: -v for s, v in method.items()}, {s: -v for s, v in control.items()}, -0.6, False)
    assert lower.mean == pytest.approx(higher.mean)
    assert (lower.low, lower.high) == pytest.approx((higher.low, higher.high))


@given(st.lists(st.floats(0.3, 0.7), min_size=2, max_size=6), st.floats(0.2, 0.9))
def test_gap_is_defined_exactly_where_the_teacher_is_beyond_the_controls_interval(scores, teacher):
    control = dict(enumerate(scores))
    baseline = estimate(scores)
    found = gap_recovered({seed: value + 0.01 for seed, value in control.items()}, control, teacher, True)
    if abs(teacher - baseline.high) > 1e-9:
        assert (found is not None) == (teacher > baseline.high)


def test_gap_needs_two_paired_seeds():
    assert gap_recovered({0: 0.6}, {0: 0.5}, 0.7, True) is None
    assert gap_recovered({0: 0.6, 1: 0.6}, {0: 0.5, 2: 0.5}, 0.7, True) is None


def test_all_equal_gap_has_no_width():
    found = gap_recovered({0: 0.55, 1: 0.55}, {0: 0.5, 1: 0.5}, 0.6, True)
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


@pytest.mark.parametrize("n", [1, 40])
def test_holm_equals_statsmodels(n):
    p_values = np.random.default_rng(n).random(n) ** 4
    p_values[: n // 4] = p_values[0]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


def test_holm_of_nothing_is_nothing():
    assert holm([]) == []


@pytest.mark.parametrize(
    ("low", "high", "side"), [(0.1, 0.2, 1), (-0.2, -0.1, -1), (-0.1, 0.1, 0), (0.0, 0.1, 0), (None, None, None)]
)
def test_an_interval_lies_above_zero_below_it_or_around_it(low, high, side):
    assert Estimate(0.0, 2, 0.1, low, high).side == side
