import numpy as np
import pytest
import torch

from tasks.base import Boxes, Info, Prediction, Sample
from tasks.detection import ObjectDetection
from tasks.metrics.detection import Detections

INFO = Info(categories=("cat", "dog"), category_ids=(17, 18))


def sample(xyxy, labels, difficult):
    boxes = Boxes(np.asarray(xyxy, float).reshape(-1, 4), np.asarray(labels, np.int64), np.asarray(difficult, bool))
    return Sample("x", np.zeros((32, 64, 3), np.uint8), {"boxes": boxes})


def test_targets_leave_difficult_boxes_out_and_are_padded():
    task = ObjectDetection(INFO)
    samples = [
        sample([[1, 2, 9, 9], [4, 4, 8, 8], [0, 0, 5, 5]], [1, 0, 1], [False, True, False]),
        sample([], [], []),
    ]
    target = task.collate([task.target(each) for each in samples])
    assert target.labels.tolist() == [[1, 1], [-1, -1]]
    assert target.xyxy[0].tolist() == [[1, 2, 9, 9], [0, 0, 5, 5]]
    assert target.weight.tolist() == [[1, 1], [1, 1]]


def maps():
    """One confident dog at (16, 8) on the finest of three levels of a 32x64 image."""
    levels = [torch.full((2, 7, 32 // s, 64 // s), -10.0) for s in (4, 8, 16)]
    for level in levels:
        level[:, 2:6] = 1.0
    levels[0][1, 1, 2, 4] = levels[0][1, 6, 2, 4] = 9.0
    return tuple(levels)


def test_decodes_boxes_in_the_pixels_of_the_original_image():
    prediction = Prediction(maps(), {}, {}, (), torch.zeros(2, 1), (32, 64))
    task = ObjectDetection(INFO)
    found = task.decode(prediction, 1, (64, 192))
    assert found.xyxy.dtype == np.float64
    np.testing.assert_allclose(found.xyxy, [[36.0, 8.0, 60.0, 24.0]])
    assert found.labels.tolist() == [1]
    assert len(task.decode(prediction, 0, (32, 64)).labels) == 0


def test_ids_of_the_file_reach_the_results():
    task = ObjectDetection(INFO)
    metric = task.metric()
    prediction = Prediction(maps(), {}, {}, (), torch.zeros(2, 1), (32, 64))
    metric.update(task.decode(prediction, 1, (32, 64)), sample([[12, 4, 20, 12]], [1], [False]).annotations["boxes"])
    assert metric.results()[0, -1] == 18
    assert metric.compute()["ap"] == pytest.approx(1.0)


def test_picture_shows_confident_detections():
    task, image = ObjectDetection(INFO), np.zeros((32, 64, 3), np.uint8)
    box = np.array([[10.0, 10.0, 30.0, 25.0]])
    for score, drawn in [(0.9, True), (0.1, False)]:
        picture = task.picture(Detections(box, np.array([0]), np.array([score])), image)
        assert (picture != image).any() == drawn
