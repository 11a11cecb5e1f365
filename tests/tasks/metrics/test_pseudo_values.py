"""The jackknife of every metric: images' own scores where the metric is their mean, brute force elsewhere."""

import math

import numpy as np
import pytest

from tasks.base import Boxes
from tasks.metrics.counting import CountErrors
from tasks.metrics.depth import DepthErrors
from tasks.metrics.detection import BoxPrecision, Detections
from tasks.metrics.fixation import FixationScores, Looks
from tasks.metrics.saliency import SaliencyScores
from tasks.metrics.segmentation import ConfusionMatrix

IMAGES = 7


def segmentation(draw):
    truth = draw.integers(0, 3, (6, 6))
    return np.where(draw.random((6, 6)) < 0.7, truth, draw.integers(0, 3, (6, 6))), truth


def depth(draw):
    return draw.uniform(1, 5, (4, 4)), draw.uniform(1, 5, (4, 4))


def counting(draw):
    return draw.uniform(0, 0.4, (4, 4)), draw.uniform(0, 4, (draw.integers(0, 6), 2))


def saliency(draw):
    mask = (draw.random((8, 8)) < 0.4).astype(np.uint8)
    return np.clip(mask + draw.normal(0, 0.4, (8, 8)), 0, 1), mask


def fixation(draw):
    density = draw.random((6, 6))
    return draw.random((6, 6)), Looks(
        points=draw.uniform(0, 6, (4, 2)), density=density, clip=f"clip-{draw.integers(0, 10**9)}"
    )


def detection(draw):
    k, false = draw.integers(0, 4), draw.integers(0, 3)
    corner, side = draw.uniform(0, 100, (k + false, 2)), draw.uniform(10, 60, (k + false, 2))
    boxes, labels = np.hstack([corner, corner + side]), draw.integers(0, 2, k + false)
    found = Detections(boxes + draw.normal(0, 3, boxes.shape), labels, draw.random(k + false))
    return found, Boxes(boxes[:k], labels[:k], draw.random(k) < 0.2)


KINDS = {
    "miou": (lambda: ConfusionMatrix(["a", "b", "c"]), segmentation),
    "abs_rel": (lambda: DepthErrors(10.0), depth),
    "mae": (CountErrors, counting),
    "s_measure": (SaliencyScores, saliency),
    "nss": (FixationScores, fixation),
    "ap": (lambda: BoxPrecision(["a", "b"], (9, 4)), detection),
    "max_f": (SaliencyScores, saliency),
    "rmse": (CountErrors, counting),
    "sauc": (FixationScores, fixation),
    "pixel_acc": (lambda: ConfusionMatrix(["a", "b", "c"]), segmentation),
}


def images(name, draw):
    new, make = KINDS[name]
    parts = []
    for _ in range(IMAGES):
        parts.append(new())
        parts[-1].update(*make(draw))
    return new, parts


def merged(new, parts):
    whole = new()
    for part in parts:
        whole.merge(part)
    return whole


@pytest.mark.parametrize("name", KINDS)
def test_leaving_an_image_out_is_scoring_the_others(name):
    new, parts = images(name, np.random.default_rng(3))
    found = new().leave_one_out(parts, name)
    expected = [merged(new, [*parts[:i], *parts[i + 1 :]]).compute()[name] for i in range(IMAGES)]
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", ["abs_rel", "mae", "s_measure", "nss"])
def test_the_pseudo_values_of_a_mean_are_the_images_own_scores(name):
    new, parts = images(name, np.random.default_rng(5))
    own = [part.compute()[name] for part in parts]
    assert new().pseudo_values(parts, name) == pytest.approx(own)


@pytest.mark.parametrize("name", KINDS)
def test_one_score_is_the_one_among_all(name):
    new, parts = images(name, np.random.default_rng(7))
    whole = merged(new, parts)
    assert whole.score(name) == whole.compute()[name]


def test_the_spread_of_pseudo_values_tells_the_standard_error_of_a_mean_iou():
    """Their standard error is close to the spread of the score over fresh sets of images."""
    draw = np.random.default_rng(11)
    scores, errors = [], []
    for _ in range(60):
        parts = []
        for _ in range(24):
            parts.append(ConfusionMatrix(["a", "b", "c"]))
            parts[-1].update(*segmentation(draw))
        values = ConfusionMatrix(["a", "b", "c"]).pseudo_values(parts, "miou")
        errors.append(np.std(values, ddof=1) / math.sqrt(len(values)))
        scores.append(np.mean(values))
    assert np.mean(errors) == pytest.approx(np.std(scores, ddof=1), rel=0.3)


def test_of_one_image_nothing_remains():
    new, parts = images("abs_rel", np.random.default_rng(1))
    assert math.isnan(new().leave_one_out(parts[:1], "abs_rel")[0])
    assert new().leave_one_out([], "abs_rel") == []
