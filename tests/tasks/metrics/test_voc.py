import numpy as np
import pytest

from tasks.metrics.voc import area_under, eleven_points, iou


def test_curves_by_hand():
    recall, precision = np.array([0.0, 0.5, 0.5, 1.0]), np.array([0.0, 1.0, 0.5, 2 / 3])
    assert area_under(recall, precision) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert eleven_points(recall, precision) == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)


def test_iou_by_hand():
    box = np.array([0.0, 0.0, 2.0, 2.0])
    others = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [2, 2, 4, 4], [5, 5, 5, 5]], float)
    np.testing.assert_allclose(iou(box, others), [1, 1 / 7, 0, 0])
    np.testing.assert_allclose(iou(others[3], others[3:]), [0])
