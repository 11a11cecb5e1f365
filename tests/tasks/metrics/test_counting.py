import math
from pathlib import Path

import numpy as np
import pytest

from tasks.metrics.counting import CountErrors, count_cells

FIXTURE = Path(__file__).parents[2] / "fixtures/metrics/crowd_counts.npz"


def points(count):
    return np.zeros((count, 2))


def test_equals_the_reference_values():
    with np.load(FIXTURE) as stored:
        reference = dict(stored)
    metric = CountErrors()
    for true, predicted in zip(reference["gt_count"], reference["pred_count"], strict=True):
        metric.update(np.array([[predicted]]), points(int(true)))
    scores = metric.compute()
    assert scores["mae"] == pytest.approx(float(reference["exp_mae"]), abs=1e-9)
    assert scores["rmse"] == pytest.approx(float(reference["exp_rmse"]), abs=1e-9)
    assert scores["nae"] == pytest.approx(float(reference["exp_nae"]), abs=1e-9)
    assert scores["game0"] == pytest.approx(scores["mae"], abs=1e-9)
    assert scores["rmse"] != pytest.approx(float(reference["trap_mse_without_sqrt"]), rel=0.1)
    assert scores["nae"] != pytest.approx(float(reference["trap_nae_total_ratio"]), rel=0.1)
    by_level = list(metric.per_class().values())
    np.testing.assert_allclose(by_level, reference["exp_level_mae_rmse_nae"][:, 0], atol=1e-9)


def test_truth_is_the_number_of_points_even_on_one_pixel_or_outside():
    metric = CountErrors()
    metric.update(np.zeros((4, 4)), np.array([[1.0, 1.0], [1.0, 1.0], [-3.0, 1.0], [9.0, 4.0]], dtype=np.float32))
    assert metric.compute() == {"mae": 4, "rmse": 4, "nae": 1, "game0": 4, "game1": 4, "game2": 4, "game3": 4}


def test_images_without_heads_count_in_mae_but_not_in_nae():
    metric = CountErrors()
    metric.update(np.full((2, 2), 0.5), points(0))
    assert metric.compute()["mae"] == 2
    assert math.isnan(metric.compute()["nae"])
    metric.update(np.full((2, 2), 1.0), points(2))
    assert metric.compute()["mae"] == 2
    assert metric.compute()["nae"] == 1


def test_negative_densities_count():
    metric = CountErrors()
    metric.update(np.array([[3.0, -1.0]]), points(2))
    assert metric.compute()["mae"] == 0


def test_nothing_seen_is_undefined():
    assert all(math.isnan(value) for value in CountErrors().compute().values())


def test_game_cells_have_floored_borders_on_both_axes():
    density = np.arange(35.0).reshape(5, 7)
    cells = count_cells(density, 2)
    expected = [
        [density[:2, :3].sum(), density[:2, 3:].sum()],
        [density[2:, :3].sum(), density[2:, 3:].sum()],
    ]
    np.testing.assert_allclose(cells, expected, atol=1e-12)
    for level in range(4):
        assert count_cells(density, 2**level).sum() == pytest.approx(density.sum())


def test_game_by_hand_on_an_image_that_is_not_square():
    # One head in the left half, predicted in the right half: right count, wrong place.
    metric = CountErrors()
    density = np.zeros((8, 16))
    density[1, 15] = 1
    metric.update(density, np.array([[0.0, 1.0]]))
    scores = metric.compute()
    assert [scores[f"game{level}"] for level in range(4)] == [0, 2, 2, 2]


def test_one_pixel_image():
    metric = CountErrors()
    metric.update(np.array([[0.25]]), points(1))
    assert metric.compute()["game3"] == 0.75


def test_sums_in_float64():
    metric = CountErrors()
    metric.update(np.full((2048, 2048), 1e-4, dtype=np.float32), points(0))
    assert metric.compute()["mae"] == pytest.approx(float(np.float32(1e-4)) * 2048**2, rel=1e-9)


def test_order_and_merging_do_not_change_a_bit():
    draw = np.random.default_rng(0)
    pairs = [(draw.uniform(0, 0.1, (9, 7)), draw.uniform(0, 7, (draw.integers(5), 2))) for _ in range(20)]
    whole, first, second = (CountErrors() for _ in range(3))
    for pair in pairs:
        whole.update(*pair)
    for i, pair in enumerate(reversed(pairs)):
        (first if i % 3 else second).update(*pair)
    first.merge(second)
    assert first.compute() == whole.compute()
