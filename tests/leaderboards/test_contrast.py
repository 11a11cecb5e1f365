import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from leaderboards.contrast import Prior, Square, interval, prior, strata


def test_seeds_alone_give_the_t_test():
    d = [0.01, 0.03, 0.02, 0.05]
    found, expected = interval(strata(d, "aaaa")), stats.ttest_1samp(d, 0)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert found.p == pytest.approx(expected.pvalue)


def test_a_teacher_a_seed_is_the_t_test_too():
    d = [0.01, 0.03, 0.02]
    assert interval(strata(d, "abc")) == interval(strata(d, "aaa"))


@given(st.lists(st.floats(-1, 1).map(lambda v: round(v, 3)), min_size=6, max_size=6, unique=True))
def test_balanced_teachers_are_the_units(d):
    """Two seeds a teacher: where teachers vary more than seeds, the variance is that of the teachers' means."""
    found, means = strata(d, "aabbcc"), np.array(d).reshape(3, 2).mean(axis=1)
    assert found.teacher.share == pytest.approx(1 / 6)
    assert found.run.share == pytest.approx(0)
    if found.teacher.value > found.run.value:
        assert found.teacher.part + found.run.part == pytest.approx(means.var(ddof=1) / 3)
        expected = stats.ttest_1samp(means, 0).confidence_interval(0.95)
        assert (interval(found).low, interval(found).high) == pytest.approx(tuple(expected), abs=1e-7)
    else:
        pooled = (found.teacher.value * 2 + found.run.value * 3) / 5
        half = stats.t.ppf(0.975, 5) * np.sqrt(pooled / 6)
        assert interval(found).high - found.mean == pytest.approx(half)


def test_unbalanced_mean_squares_are_unbiased():
    """Over many draws the variance found is that of the mean: seeds 0.3^2 / 5, teachers 0.5^2 * (4 + 4 + 1) / 25."""
    draw, parts = np.random.default_rng(0), []
    for _ in range(4000):
        d = draw.normal(0, 0.3, 5) + draw.normal(0, 0.5, 3)[[0, 1, 2, 0, 1]]
        found = strata(d.tolist(), [0, 1, 2, 0, 1])
        parts.append(found.teacher.part + found.run.part)
    assert np.mean(parts) == pytest.approx(0.3**2 / 5 + 0.5**2 * 9 / 25, rel=0.05)


def test_images_add_what_they_have_beyond_the_rest():
    draw, found, alone = np.random.default_rng(0), [], []
    for _ in range(400):
        values = draw.normal(0, 0.2, 50) + draw.normal(0, 0.1, (4, 50))
        found.append(strata(values.mean(axis=1).tolist(), "aaaa", values).image.part)
        values = draw.normal(0, 0.1, (4, 50))
        alone.append(strata(values.mean(axis=1).tolist(), "aaaa", values).image.part)
    assert np.mean(found) == pytest.approx(0.2**2 / 50, rel=0.05)
    assert np.mean(alone) < 0.1 * np.mean(found)


def test_one_seed_has_no_interval_and_equal_differences_no_width():
    assert interval(strata([0.1], "a")) is None
    found = interval(strata([0.5, 0.5, 0.5], "aaa"))
    assert (found.low, found.high, found.p) == (0.5, 0.5, 0.0)


def test_a_prior_lends_its_degrees_of_freedom():
    found = interval(strata([0.1, 0.2, 0.3], "aaa"), Prior(0.01, 4.0))
    assert found.df == pytest.approx(6)
    assert found.high == pytest.approx(0.2 + stats.t.ppf(0.975, 6) * np.sqrt(0.01 / 3))


def test_a_prior_is_found_again():
    draw = np.random.default_rng(3)
    variances = 0.04 * 8 / draw.chisquare(8, 3000)  # s0^2 = 0.04, d0 = 8
    squares = [Square(v * draw.chisquare(4) / 4, 4, 1.0) for v in variances]
    found = prior(squares)
    assert found.df == pytest.approx(8, rel=0.15)
    assert found.value == pytest.approx(0.04, rel=0.05)


def test_alike_variances_are_pooled_and_two_are_too_few():
    squares = [Square(value, 4, 1.0) for value in (1.0, 1.1, 0.9)]
    assert prior(squares) == Prior(pytest.approx(1.0), 12.0)
    assert prior(squares[:2]) is None
    assert prior([*squares, Square(0.0, 4, 1.0)]) == prior(squares), "two rows of the same bits tell nothing of others"
