import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.classification import MulticlassJaccardIndex

from tasks.errors import InputError
from tasks.metrics.segmentation import ConfusionMatrix

FIXTURE = Path(__file__).parents[2] / "fixtures/metrics/seg_random.npz"


@pytest.fixture
def reference():
    with np.load(FIXTURE) as stored:
        return dict(stored)


def names(k):
    return [f"class {i}" for i in range(k)]


def fed(reference):
    metric = ConfusionMatrix(names(6))
    for i in range(5):
        metric.update(reference[f"pred_{i}"], reference[f"gt_{i}"])
    return metric


def test_equals_the_reference_values(reference):
    metric = fed(reference)
    assert metric.counts.dtype == np.int64
    np.testing.assert_array_equal(metric.counts, reference["exp_confusion"])
    scores = metric.compute()
    for name, expected in [
        ("miou", "exp_miou"),
        ("pixel_acc", "exp_pixel_acc"),
        ("class_acc", "exp_mean_class_acc"),
        ("fwiou", "exp_fwiou"),
        ("dice", "exp_mdice"),
    ]:
        assert scores[name] == pytest.approx(float(reference[expected]), abs=1e-9), name
    np.testing.assert_allclose(list(metric.per_class().values()), reference["exp_iou"], atol=1e-9)


def test_is_not_the_mean_of_images_nor_does_it_count_absent_classes_as_zero(reference):
    miou = fed(reference).compute()["miou"]
    assert abs(miou - float(reference["trap_miou_mean_of_images"])) > 0.01
    assert abs(miou - float(reference["trap_miou_absent_as_zero"])) > 0.01


def test_agrees_with_torchmetrics(reference):
    other = MulticlassJaccardIndex(6, average="macro", ignore_index=255)
    for i in range(5):
        other.update(torch.from_numpy(reference[f"pred_{i}"]).long(), torch.from_numpy(reference[f"gt_{i}"]).long())
    assert fed(reference).compute()["miou"] == pytest.approx(float(other.compute()), abs=1e-4)  # float32


def test_ignored_pixels_count_nowhere_whatever_is_predicted_there():
    metric = ConfusionMatrix(names(2))
    metric.update(np.array([[0, 1, 1]]), np.array([[0, 1, 255]], dtype=np.uint8))
    assert metric.counts.sum() == 2
    assert metric.compute()["miou"] == 1.0


def test_a_label_out_of_range_is_an_error_and_never_the_last_class():
    metric = ConfusionMatrix(names(11))
    with pytest.raises(InputError, match=r"label 11 .* expected 0 to 10"):
        metric.update(np.zeros((2, 2), np.uint8), np.full((2, 2), 11, np.uint8))
    with pytest.raises(InputError, match="label -1"):
        metric.update(np.zeros((2, 2), np.uint8), np.full((2, 2), -1, np.int64))
    with pytest.raises(ValueError, match="predicted label"):
        metric.update(np.full((2, 2), 11, np.uint8), np.zeros((2, 2), np.uint8))
    with pytest.raises(ValueError, match="differ in size"):
        metric.update(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8))
    assert metric.counts.sum() == 0


def test_predicted_but_absent_class_counts_as_zero_and_unseen_class_is_left_out():
    metric = ConfusionMatrix(names(3))
    metric.update(np.array([[0, 1]]), np.array([[0, 0]]))
    assert metric.per_class()["class 0"] == 0.5
    assert metric.per_class()["class 1"] == 0.0
    assert math.isnan(metric.per_class()["class 2"])
    assert metric.compute()["miou"] == 0.25
    assert metric.compute()["class_acc"] == 0.5


def test_nothing_seen_and_everything_ignored_are_undefined():
    metric = ConfusionMatrix(names(3))
    assert all(math.isnan(score) for score in metric.compute().values())
    metric.update(np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8))
    assert all(math.isnan(score) for score in metric.compute().values())


def test_one_pixel_and_counts_beyond_float32():
    metric = ConfusionMatrix(names(2))
    metric.update(np.array([[1]], np.uint8), np.array([[1]], np.uint8))
    assert metric.compute()["miou"] == 1.0
    metric.counts[1, 1] = 2**24
    metric.update(np.array([[1]], np.uint8), np.array([[1]], np.uint8))
    assert metric.counts[1, 1] == 2**24 + 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 4))
def test_state_is_additive_and_order_does_not_matter(seed, k, images):
    draw = np.random.default_rng(seed)
    pairs = [(draw.integers(0, k, (5, 7)), draw.choice([*range(k), 255], (5, 7))) for _ in range(images)]
    whole, first, second = (ConfusionMatrix(names(k)) for _ in range(3))
    for pair in pairs:
        whole.update(*pair)
    for i, pair in enumerate(reversed(pairs)):
        (first if i % 2 else second).update(*pair)
    first.merge(second)
    assert first.compute() == pytest.approx(whole.compute(), abs=0, nan_ok=True)
    assert all(math.isnan(v) or 0 <= v <= 1 + 1e-12 for v in whole.compute().values())
