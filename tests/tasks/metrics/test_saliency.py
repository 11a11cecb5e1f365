import math

import numpy as np
import py_sod_metrics as sod
import pytest

from tasks.metrics.saliency import SaliencyScores


def soft(draw, size=(31, 44)):
    return np.clip(draw.normal(0.5, 0.3, size), 0, 1)


def scores(*pairs):
    metric = SaliencyScores()
    for prediction, truth in pairs:
        metric.update(np.asarray(prediction, float), np.asarray(truth, np.uint8))
    return metric.compute()


def test_equals_pysodmetrics_over_a_set():
    draw = np.random.default_rng(0)
    pairs = [(soft(draw), (soft(draw) > 0.6).astype(np.uint8)) for _ in range(6)]
    measures = {"s": sod.Smeasure(), "mae": sod.MAE(), "e": sod.Emeasure(), "w": sod.WeightedFmeasure()}
    with pytest.warns(UserWarning, match="FmeasureV2"):
        measures["f"] = sod.Fmeasure()
    for prediction, truth in pairs:
        for measure in measures.values():
            measure.step(np.round(prediction * 255).astype(np.uint8), truth * 255)
    f, e = measures["f"].get_results()["fm"], measures["e"].get_results()["em"]
    expected = {
        "s_measure": measures["s"].get_results()["sm"],
        "mae": measures["mae"].get_results()["mae"],
        "max_f": f["curve"].max(),
        "mean_f": f["curve"].mean(),
        "adaptive_f": f["adp"],
        "weighted_f": measures["w"].get_results()["wfm"],
        "max_e": e["curve"].max(),
        "mean_e": e["curve"].mean(),
        "adaptive_e": e["adp"],
    }
    assert scores(*pairs) == pytest.approx(expected, abs=1e-12)


def test_max_f_is_of_the_mean_curve_not_the_mean_of_maxima():
    first = (np.array([[0.0, 0.2, 1.0, 0.2]]), np.array([[0, 0, 1, 0]]))
    second = (np.array([[0.0, 0.2, 1.0, 0.2]]), np.array([[0, 1, 1, 1]]))
    alone = [scores(pair)["max_f"] for pair in (first, second)]
    assert alone == [1.0, 1.0]
    assert scores(first, second)["max_f"] < 1.0


def perfect():
    mask = np.zeros((20, 20), np.uint8)
    mask[5:12, 3:14] = 1  # 77 pixels
    return mask


def test_perfect_map_has_the_constants_of_the_reference():
    found = scores((perfect(), perfect()))
    assert found["s_measure"] == pytest.approx(1.0)
    assert found["mae"] == 0.0
    assert found["max_f"] == pytest.approx(1.0)
    assert found["mean_f"] == pytest.approx(0.99702, abs=5e-6)
    assert found["max_e"] == pytest.approx(400 / 399)
    assert found["mean_e"] == pytest.approx(0.99957, abs=5e-6)


def test_soft_maps_are_stretched_and_constant_ones_are_not():
    assert scores((0.4 * perfect() + 0.3, perfect()))["mae"] == 0.0
    assert scores((np.full((20, 20), 0.4), perfect()))["mae"] == pytest.approx((77 * 0.6 + 323 * 0.4) / 400)


def test_eight_bits_are_rounded_not_truncated():
    # Without the stretch (a constant map) 0.999 of 255 is 254.7: 255 rounded, 254 truncated.
    assert scores((np.full((4, 4), 0.999), np.ones((4, 4))))["mae"] == 0.0


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((9, 9)),
        np.ones((9, 9)),
        np.eye(9),
        np.pad(np.ones((1, 3)), ((8, 0), (3, 3))),  # on the last row: upstream's S-measure is NaN
        np.pad(np.ones((3, 1)), ((3, 3), (8, 0))),
        np.zeros((1, 1)),
        np.ones((1, 1)),
    ],
)
@pytest.mark.parametrize("value", [0.0, 1.0, None])
def test_edge_inputs_are_finite(mask, value):
    draw = np.random.default_rng(1)
    prediction = draw.random(mask.shape) if value is None else np.full(mask.shape, value)
    found = scores((prediction, mask))
    assert all(math.isfinite(score) for score in found.values())
    assert all(0 <= score <= 2 for score in found.values())


def test_empty_and_full_masks():
    prediction = np.array([[0.0, 0.5, 1.0, 0.5]])
    assert scores((prediction, np.zeros((1, 4))))["s_measure"] == pytest.approx(0.5, abs=2e-3)
    assert scores((prediction, np.ones((1, 4))))["s_measure"] == pytest.approx(0.5, abs=2e-3)
    assert scores((prediction, np.zeros((1, 4))))["max_f"] == 0.0
    assert scores((prediction, np.zeros((1, 4))))["weighted_f"] == 0.0


def test_nothing_seen_is_undefined_and_sizes_must_agree():
    assert all(math.isnan(score) for score in SaliencyScores().compute().values())
    with pytest.raises(ValueError, match="differ in size"):
        scores((np.zeros((2, 3)), np.zeros((3, 2))))


def test_order_and_merging_do_not_change_a_bit():
    draw = np.random.default_rng(0)
    pairs = [(soft(draw), (soft(draw) > 0.6).astype(np.uint8)) for _ in range(7)]
    whole, first, second = (SaliencyScores() for _ in range(3))
    for pair in pairs:
        whole.update(*pair)
    for i, pair in enumerate(reversed(pairs)):
        (first if i % 3 else second).update(*pair)
    first.merge(second)
    assert first.compute() == whole.compute()
