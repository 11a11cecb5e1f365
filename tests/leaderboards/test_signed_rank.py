import numpy as np
import pytest
from scipy import stats

from leaderboards.signed_rank import signed_rank


def brute(z, rope, draws=4000):
    """Count by loops, with weights of Gamma draws instead of a Dirichlet's."""
    draw, count = np.random.default_rng(1), [0, 0, 0]
    z = [0.0, *z]
    for _ in range(draws):
        w = draw.gamma([0.5] + [1.0] * (len(z) - 1))
        w /= w.sum()
        share = [0.0, 0.0, 0.0]
        for i, a in enumerate(z):
            for j, b in enumerate(z):
                middle = (a + b) / 2
                share[0 if middle > rope else 2 if middle < -rope else 1] += w[i] * w[j]
        count[int(np.argmax(share))] += 1
    return [each / draws for each in count]


@pytest.mark.parametrize("z", [[0.3, -0.2, 0.02], [0.2, 0.12, 0.3, 0.08, -0.01], [-0.4, 0.04]])
def test_equals_counting_by_loops(z):
    found = signed_rank(z, 0.05)
    assert [found.better, found.equivalent, found.worse] == pytest.approx(brute(z, 0.05), abs=0.03)


def test_one_task_in_closed_form():
    """With one gain far above the region, w ~ Beta(1, 1/2): above are w^2 and the pairs with zero, 2 w (1 - w)."""
    expected = stats.beta(1, 0.5).sf(1 - np.sqrt(0.5))  # 1 - (1 - w)^2 > 1/2
    assert signed_rank([1.0], 0.05).better == pytest.approx(expected, abs=0.015)
    half = stats.beta(1, 0.5).sf(np.sqrt(0.5))  # pairs with zero lie within the region: w^2 > 1/2
    assert signed_rank([0.08], 0.05).better == pytest.approx(half, abs=0.015)


def test_signs_mirror_and_the_three_sum_to_one():
    up, down = signed_rank([0.3, 0.1, 0.2, -0.1]), signed_rank([-0.3, -0.1, -0.2, 0.1])
    assert (up.better, up.worse) == (down.worse, down.better)
    assert up.better + up.equivalent + up.worse == pytest.approx(1)


def test_five_tasks_can_conclude_and_nothing_gained_is_equivalent():
    assert signed_rank([0.3, 0.4, 0.2, 0.5, 0.3]).better > 0.95
    assert signed_rank([0.0] * 5).equivalent == 1
    assert signed_rank([]) is None
