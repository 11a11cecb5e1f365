"""Predictors that look at no image, on the embedded data and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.base import Info, Sample, datasets, tasks
from tasks.counting import Counting
from tasks.depth import Depth
from tasks.segmentation import Segmentation
from tests.support import built_in

IMAGE = np.zeros((32, 64, 3), np.uint8)


def samples(kind: str, *values: np.ndarray) -> list[Sample]:
    return [Sample(str(number), IMAGE, {kind: value}) for number, value in enumerate(values)]


@pytest.mark.parametrize("name", built_in(tasks))
def test_every_task_has_some_and_its_metric_reads_them(name: str) -> None:
    cls = tasks[name]
    dataset = datasets[cls.dataset](size=64, train=4, val=2, test=3)  # type: ignore[call-arg]
    task = cls(dataset.info)
    predictors = task.trivial(dataset.load("train", index) for index in range(4))
    assert predictors
    primary = next(iter(cls.metrics))
    for predict in predictors.values():
        metric = task.metric()
        for index in range(3):
            sample = dataset.load("test", index)
            metric.update(predict(task.truth_size(sample)), task.truth(sample))
        assert np.isfinite(metric.compute()[primary])
    assert cls.margin is not None


def test_the_most_frequent_class_of_all_positions_and_of_each() -> None:
    left = np.full((32, 64), 1, np.uint8)
    left[:, :24] = 0
    left[:, -1] = 255
    found = Segmentation(Info(classes=("a", "b"))).trivial(samples("classes", left))
    assert set(found["most frequent class"]((2, 4)).flat) == {1}
    assert found["most frequent class a position"]((1, 8)).tolist() == [[0, 0, 0, 1, 1, 1, 1, 1]]


def test_mean_and_median_depth_leave_out_what_is_unknown_or_beyond_the_cap() -> None:
    far = np.full((32, 64), 2.0, np.float32)
    far[:, :32] = 0.0
    found = Depth(Info(), cap=10.0).trivial(
        samples("depth", far, np.full((32, 64), 6.0), np.full((32, 64), 4.0), np.full((32, 64), 40.0))
    )
    assert found["median"]((1, 1)).item() == 4.0
    assert found["mean"]((1, 1)).item() == pytest.approx((2 * 0.5 + 6 + 4) / 2.5)
    assert found["median a position"]((1, 2)).tolist() == [[5.0, 4.0]]


def test_counts_are_spread_evenly() -> None:
    points = [np.zeros((count, 2), np.float32) for count in (1, 2, 9)]
    found = Counting(Info()).trivial(samples("points", *points))
    assert found["mean count"]((3, 5)).sum() == pytest.approx(4.0)
    assert found["median count"]((3, 5)).sum() == pytest.approx(2.0)
