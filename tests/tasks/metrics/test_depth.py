import math
from pathlib import Path

import numpy as np
import pytest

from tasks.errors import InputError
from tasks.metrics.depth import CROPS, DepthErrors

FIXTURE = Path(__file__).parents[2] / "fixtures/metrics/depth_nyu.npz"
ORDER = ["silog", "log10", "abs_rel", "sq_rel", "rmse", "rmse_log", "delta1", "delta2", "delta3"]


@pytest.fixture(scope="module")
def reference():
    with np.load(FIXTURE) as stored:
        values = dict(stored)
    block = np.ones(values["repeat"])
    values["truth"] = [np.kron(cells, block) / 1000.0 for cells in values["gt_mm_cells"].astype(np.float64)]
    values["prediction"] = [
        cells.repeat(values["repeat"][0], 0).repeat(values["repeat"][1], 1).astype(np.float64)
        for cells in values["pred_m_cells"]
    ]
    return values


@pytest.mark.parametrize(("crop", "name"), [("eigen", "eigen"), (None, "nocrop")])
def test_equals_the_reference_values(reference, crop, name):
    metric = DepthErrors(10.0, crop)
    for i in range(3):
        metric.update(reference["prediction"][i], reference["truth"][i])
    by_image = metric.columns()[:, [metric.names.index(each) for each in ORDER]]
    np.testing.assert_allclose(by_image, reference[f"exp_{name}_per_image"], rtol=0, atol=1e-9)
    means = [metric.compute()[each] for each in ORDER]
    np.testing.assert_allclose(means, reference[f"exp_{name}_mean"], rtol=0, atol=1e-9)
    assert abs(means[0] - reference[f"trap_{name}_pooled"][0]) > 0.1


def test_float32_metres_as_the_adapters_give_them(reference):
    metric = DepthErrors(10.0, "eigen")
    for i in range(3):
        metric.update(reference["prediction"][i].astype(np.float32), reference["truth"][i].astype(np.float32))
    means = [metric.compute()[each] for each in ORDER]
    np.testing.assert_allclose(means, reference["exp_eigen_mean"], rtol=1e-4)


def scores(prediction, truth, **options):
    metric = DepthErrors(options.pop("cap", 10.0), **options)
    metric.update(np.asarray(prediction, float), np.asarray(truth))
    return metric.compute()


def test_values_by_hand():
    found = scores([[2.0, 1.0]], [[1.0, 2.0]])
    assert found["abs_rel"] == pytest.approx(0.75)
    assert found["sq_rel"] == pytest.approx(0.75)
    assert found["rmse"] == pytest.approx(1.0)
    assert found["rmse_log"] == pytest.approx(math.log(2))
    assert found["log10"] == pytest.approx(math.log10(2))
    assert found["silog"] == pytest.approx(100 * math.log(2))
    assert found["delta2"] == 0.0
    assert found["delta3"] == 0.0
    assert scores([[2.0]], [[1.0]])["silog"] == 0.0  # one pixel has no variance


def test_delta_is_strict():
    assert scores([[1.25]], [[1.0]])["delta1"] == 0.0
    assert scores([[1.2499]], [[1.0]])["delta1"] == 1.0


def test_both_ends_of_the_valid_range_are_strict():
    metric = DepthErrors(10.0)
    metric.update(np.ones((1, 3)), np.array([[0.001, 10.0, 0.0]], dtype=np.float32))
    assert metric.rows == []
    metric.update(np.ones((1, 1)), np.array([[0.002]], dtype=np.float32))
    assert len(metric.rows) == 1


def test_prediction_is_clamped_and_never_infinite():
    for value, clamped in [(np.nan, 1e-3), (np.inf, 10.0), (-np.inf, 1e-3), (-3.0, 1e-3), (99.0, 10.0), (0.0, 1e-3)]:
        assert scores([[value]], [[5.0]])["rmse"] == pytest.approx(5.0 - clamped if clamped < 5 else clamped - 5.0)


def test_images_without_ground_truth_are_left_out_of_the_mean():
    metric = DepthErrors(10.0)
    metric.update(np.full((2, 2), 2.0), np.ones((2, 2)))
    metric.update(np.full((2, 2), 9.0), np.zeros((2, 2)))
    assert metric.compute()["abs_rel"] == 1.0
    empty = DepthErrors(10.0)
    empty.update(np.ones((2, 2)), np.zeros((2, 2)))
    assert all(math.isnan(value) for value in empty.compute().values())


def test_mean_of_images_and_not_of_pixels():
    metric = DepthErrors(10.0)
    metric.update(np.full((1, 1), 2.0), np.ones((1, 1)))
    metric.update(np.full((10, 10), 1.0), np.ones((10, 10)))
    assert metric.compute()["abs_rel"] == 0.5


def test_cap_is_a_choice():
    assert math.isnan(scores([[60.0]], [[60.0]], cap=50.0)["abs_rel"])
    assert scores([[60.0]], [[60.0]], cap=80.0)["abs_rel"] == 0.0


def test_median_scaling_removes_a_global_scale_before_the_clamp():
    truth = np.array([[1.0, 2.0, 3.0]])
    assert scores(truth * 7, truth, median_scaling=True)["abs_rel"] == pytest.approx(0.0, abs=1e-12)
    assert scores(truth * 7, truth)["abs_rel"] > 1
    assert math.isfinite(scores(truth * 0, truth, median_scaling=True)["abs_rel"])


def bounds(name, height, width):
    rows, columns = CROPS[name](height, width)
    return rows.start, rows.stop, columns.start, columns.stop


def test_crops():
    assert bounds("eigen", 480, 640) == (45, 471, 41, 601)
    assert bounds("kb", 375, 1242) == (23, 375, 13, 1229)
    assert bounds("garg_full", 375, 1242) == (153, 371, 44, 1197)
    # Garg's fractions of 352x1216 are rows 143:349 and columns 43:1172, moved by the crop's corner.
    assert bounds("garg", 375, 1242) == (23 + 143, 23 + 349, 13 + 43, 13 + 1172)
    assert bounds("kitti_eigen", 375, 1242) == (124, 342, 44, 1197)


def test_what_lies_outside_the_crop_has_no_influence():
    truth, prediction = np.full((375, 1242), 5.0), np.full((375, 1242), 5.0)
    rows, columns = CROPS["garg"](375, 1242)
    outside = np.ones_like(truth, dtype=bool)
    outside[rows, columns] = False
    prediction[outside] = 0.0
    assert scores(prediction, truth, cap=80.0, crop="garg")["abs_rel"] == 0.0
    assert scores(prediction, truth, cap=80.0)["abs_rel"] > 0


def test_bad_input_is_named():
    with pytest.raises(InputError, match=r"unknown evaluation crop 'eigan'; did you mean 'eigen'"):
        DepthErrors(10.0, "eigan")
    with pytest.raises(InputError, match=r"480x640 .* is 96x96"):
        scores(np.ones((96, 96)), np.ones((96, 96)), crop="eigen")
    with pytest.raises(InputError, match="at least 352x1216"):
        scores(np.ones((96, 96)), np.ones((96, 96)), crop="garg")
    with pytest.raises(ValueError, match="differ in size"):
        scores(np.ones((1, 4)), np.ones((2, 2)))


def test_order_and_merging_do_not_change_a_bit():
    draw = np.random.default_rng(0)
    pairs = [(draw.uniform(0.1, 9, (4, 5)), draw.uniform(0.1, 9, (4, 5))) for _ in range(20)]
    whole, first, second = (DepthErrors(10.0) for _ in range(3))
    for pair in pairs:
        whole.update(*pair)
    for i, pair in enumerate(reversed(pairs)):
        (first if i % 3 else second).update(*pair)
    first.merge(second)
    assert first.compute() == whole.compute()
