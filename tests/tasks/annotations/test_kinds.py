"""What holds for every kind of annotation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tasks.annotations.kind import Info, kind_of, kinds
from tasks.base import Boxes, tasks
from tasks.datasets.scenes import Scenes

DATASET = Scenes(size=48, train=4)
SAMPLE = DATASET.load("train", 1)
INFO = DATASET.info


@pytest.mark.parametrize("name", sorted(SAMPLE.annotations))
def test_a_sound_value_stays_sound(name: str) -> None:
    kind, value = kind_of(name), SAMPLE.annotations[name]
    assert kind.faults(value, (48, 48), INFO) == []
    assert kind.faults(kind.resize(value, (48, 48), (30, 24)), (30, 24), INFO) == []
    assert kind.faults(kind.empty(value), (48, 48), INFO) == []
    assert kind.faults(kind.restore(kind.arrays(value)), (48, 48), INFO) == []
    assert kind.draw(value, SAMPLE.image, INFO).shape == SAMPLE.image.shape
    assert kind.describe([kind.empty(value)], INFO) != kind.describe([value], INFO)


def test_every_task_learns_from_a_kind_that_is_known() -> None:
    assert {task.annotation for task in tasks.values()} <= kinds.keys()


LABELS = np.zeros((4, 6), np.uint8)
BOXES = Boxes(np.array([[0, 0, 6, 4.0]]), np.array([1]), np.array([False]))
THREE = Info(classes=("a", "b", "c"), categories=("d", "e"))


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("classes", LABELS + 3, "expected labels below 3, or 255, found 3"),
        ("classes", LABELS.astype(np.int64), "expected uint8 (K,K), found int64 (4, 6)"),
        ("mask", LABELS + 2, "expected 0, 1 or 255, found 2"),
        ("mask", LABELS[0], "expected uint8 (K,K), found uint8 (6,)"),
        ("depth", LABELS - np.float32(1), "expected metres, 0 where unknown, found -1.0 (24 pixels)"),
        ("depth", LABELS.astype(float), "expected float32 (K,K), found float64 (4, 6)"),
        (
            "points",
            np.array([[5, 3], [6, 3]], np.float32),
            "expected points inside 6x4 pixels, found 1 outside, the first at 6.0, 3.0",
        ),
        ("points", np.zeros((3, 3), np.float32), "expected float32 (K,2), found float32 (3, 3)"),
        ("boxes", replace(BOXES, labels=np.array([2])), "expected labels below 2, found 2"),
        ("boxes", replace(BOXES, labels=np.array([1, 1])), "expected float64 (2,4), found float64 (1, 4)"),
        (
            "boxes",
            replace(BOXES, xyxy=BOXES.xyxy + 1),
            "expected boxes with an area, inside 6x4 pixels, found corners 1, 1, 7, 5",
        ),
    ],
)
def test_a_faulty_value_is_named(name: str, value: Any, fault: str) -> None:
    assert fault in kind_of(name).faults(value, (4, 6), THREE)
