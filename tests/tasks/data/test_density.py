import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from tasks.data.density import adaptive_sigmas, density_map, dot_map
from tasks.outputs.density import pool

FIXTURE = Path(__file__).parents[2] / "fixtures/metrics/crowd_density.npz"
SIZE = (64, 96)


@pytest.fixture(scope="module")
def reference():
    with np.load(FIXTURE) as stored:
        return dict(stored)


@pytest.mark.parametrize("i", [0, 1])
def test_fixed_sigma_equals_the_reference_and_keeps_heads_on_one_pixel(reference, i):
    points = reference[f"points_xy_{i}"]
    density = density_map(points, SIZE, sigma=15)
    np.testing.assert_allclose(density, reference[f"exp_sigma15_reflect_{i}"], atol=1e-8)
    assert density.sum() == pytest.approx(len(points), abs=1e-9)
    assert len(points) > reference[f"exp_sums_{i}"][list(reference["sum_names"]).index("dotmap_merged")]
    pooled = pool(torch.from_numpy(density)[None], (SIZE[0] // 8, SIZE[1] // 8))[0]
    np.testing.assert_allclose(pooled.numpy(), reference[f"exp_down8_sum_{i}"], atol=1e-9)
    assert abs(reference[f"trap_down8_cubic_{i}"].sum() - len(points)) > 1e-5


@pytest.mark.parametrize("i", [0, 1])
def test_adaptive_sigma_keeps_what_csrnet_loses(reference, i):
    points = reference[f"points_xy_{i}"]
    lossy = density_map(points, SIZE, compat="csrnet")
    np.testing.assert_allclose(lossy, reference[f"exp_adaptive_density_{i}"], atol=1e-6)
    assert lossy.sum() < len(points) - 1
    assert density_map(points, SIZE).sum() == pytest.approx(len(points), abs=1e-9)
    np.testing.assert_allclose(
        adaptive_sigmas(reference[f"exp_adaptive_pts_xy_{i}"], SIZE), reference[f"exp_adaptive_sigma_{i}"]
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-5, 50), st.floats(-5, 40)), max_size=12),
    st.sampled_from([None, 0.1, 4.0, 15.0]),
    st.sampled_from([(33, 47), (8, 8), (1, 1)]),
)
def test_count_is_the_number_of_points(points, sigma, size):
    points = np.array(points, dtype=np.float32).reshape(-1, 2)
    density = density_map(points, size, sigma)
    assert density.shape == size
    assert density.min() >= 0
    assert density.sum() == pytest.approx(len(points), abs=1e-9)


def test_points_outside_count_on_the_border_and_duplicates_add():
    dots = dot_map(np.array([[-3, 2], [99, 2], [5, 99], [5, 7], [5.9, 7.9]]), (8, 10))
    assert dots[2, 0] == 1
    assert dots[2, 9] == 1
    assert dots[7, 5] == 3
    assert dots.sum() == 5
    assert dot_map(np.zeros((0, 2)), (4, 4)).sum() == 0


def test_interior_sigma_is_the_gaussian_of_scipy():
    points = np.array([[40.2, 30.7], [44.0, 30.0], [40.0, 36.0], [45.0, 35.0]])
    sigmas = adaptive_sigmas(points, SIZE)
    expected = np.zeros(SIZE)
    for point, sigma in zip(points, sigmas, strict=True):
        expected += gaussian_filter(dot_map(point[None], SIZE).astype(float), sigma)
    np.testing.assert_allclose(density_map(points, SIZE), expected, atol=1e-12)


def test_few_heads_have_finite_sigmas():
    assert adaptive_sigmas(np.zeros((0, 2)), SIZE).shape == (0,)
    assert adaptive_sigmas(np.array([[3.0, 4.0]]), SIZE) == pytest.approx([(64 + 96) / 2 / 4])
    assert adaptive_sigmas(np.array([[0.0, 0.0], [3.0, 4.0]]), SIZE) == pytest.approx([1.5, 1.5])
    square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 2.0]])
    assert adaptive_sigmas(square, SIZE) == pytest.approx([0.1 * (2 + 2 + math.sqrt(8))] * 4)
