import numpy as np
import pytest

from tasks.annotations.boxes import draw_boxes
from tasks.annotations.classes import draw_classes
from tasks.annotations.depth import draw_depth
from tasks.annotations.mask import draw_mask
from tasks.annotations.points import draw_points
from tasks.base import Boxes, Dataset, Info, Sample
from tasks.data.preview import TILE, contact_sheet
from tasks.data.sheet import GAP, PAPER, TITLE
from tasks.datasets.scenes import Scenes
from tasks.drawing import draw_density


class Wide(Dataset):
    """Three wide images with points alone."""

    provides = frozenset({"points"})
    info = Info()

    def ids(self, split):
        return ["a", "b", "c"]

    def load(self, split, index):
        return Sample("a", np.full((50, 100, 3), 90, np.uint8), {"points": np.array([[50, 25]], np.float32)})

    def manifest(self):
        return ""

    def verify(self):
        return []


def test_sheet_has_a_column_a_kind_and_a_row_a_sample():
    sheet = np.array(contact_sheet(Scenes(), rows=2))
    assert sheet.shape == (TITLE + GAP + 2 * (TILE + GAP), GAP + 6 * (TILE + GAP), 3)
    for column in range(6):
        tile = sheet[TITLE + GAP :, GAP + column * (TILE + GAP) :][:TILE, :TILE]
        assert (tile.reshape(-1, 3).std(axis=0) > 5).all()
        assert not (tile == PAPER).all(axis=2).any()


def test_sheet_of_other_shapes_shows_what_there_is():
    sheet = np.array(contact_sheet(Wide(), rows=9))
    assert sheet.shape == (TITLE + GAP + 3 * (TILE // 2 + GAP), GAP + 2 * (TILE + GAP), 3)
    left, top = GAP + TILE + GAP, TITLE + GAP
    image, points = (sheet[top : top + TILE // 2, x : x + TILE] for x in (GAP, left))
    assert (image == 90).all()
    assert (points[TILE // 4, TILE // 2] != 90).any()


def grey(size=200):
    return np.full((size, size, 3), 100, np.uint8)


def test_classes_take_the_colours_of_their_palette():
    drawn = draw_classes(np.array([[0, 1], [255, 0]], np.uint8), [(1, 2, 3), (4, 5, 6)])
    assert drawn.tolist() == [[[1, 2, 3], [4, 5, 6]], [[24, 24, 24], [1, 2, 3]]]


def test_near_is_brighter_and_the_invalid_is_dark():
    depth = np.full((40, 60), 1.0, np.float32)
    depth[:, 20:] = 9.0
    depth[0, 0], depth[0, 1] = 0.0, np.nan
    drawn = draw_depth(depth, 10.0)
    assert drawn[10, 0].sum() > drawn[10, 30].sum() > 0
    assert drawn[0, 0].tolist() == drawn[0, 1].tolist() == [24, 24, 24]
    assert drawn[-1, 0].sum() > drawn[-1, -1].sum()  # the scale bar runs from near to the cap


def test_boxes_are_outlined_where_they_are():
    boxes = Boxes(np.array([[20, 30, 120, 150.0], [5, 5, 15, 15]]), np.array([0, 1]), np.array([False, True]))
    drawn = draw_boxes(grey(), boxes, ("a", "b"))
    changed = (drawn != 100).any(axis=2)
    assert changed[30, 20:120].all()
    assert changed[149, 20:120].all()
    assert changed[30:150, 119].all()
    assert not changed[151:].any()
    assert not changed[60:140, 40:110].any()
    assert drawn[5, 10].tolist() == [150, 150, 150]


def test_points_are_marked():
    drawn = draw_points(grey(), np.array([[150, 120.0]]))
    changed = np.argwhere((drawn != 100).any(axis=2)[60:])  # the count stands above
    assert changed.mean(axis=0) == pytest.approx([60, 150], abs=1)
    assert np.array_equal(draw_points(grey(100), np.zeros((0, 2))), grey(100))


def test_density_is_brightest_where_it_peaks():
    density = np.zeros((10, 10))
    density[7, 2] = 3
    drawn = draw_density(grey(100), density).sum(axis=2)
    assert np.unravel_index(drawn.argmax(), drawn.shape) == pytest.approx((75, 25), abs=6)
    assert (np.ptp(draw_density(grey(100), np.zeros((5, 5))), axis=(0, 1)) == 0).all()


def test_mask_keeps_what_it_holds_and_darkens_the_rest():
    mask = np.zeros((60, 60), np.uint8)
    mask[20:40, 20:40] = 1
    drawn = draw_mask(grey(60), mask)
    assert (drawn[25:35, 25:35] == 100).all()
    assert (drawn[:15] == 35).all()


@pytest.mark.parametrize("size", [(96, 96), (180, 240)])
def test_pictures_keep_the_size_and_the_input(size):
    image, plane = np.full((*size, 3), 7, np.uint8), np.ones(size, np.float32)
    boxes = Boxes(np.array([[1, 1, 90, 90.0]]), np.array([0]), np.array([False]))
    pictures = [
        draw_classes(plane.astype(np.uint8), [(0, 0, 0)] * 2),
        draw_depth(plane, 10),
        draw_boxes(image, boxes, ("a",), [0.5]),
        draw_points(image, np.array([[3.0, 4]])),
        draw_density(image, np.ones((12, 12))),
        draw_mask(image, plane),
    ]
    assert all(picture.shape == (*size, 3) and picture.dtype == np.uint8 for picture in pictures)
    assert (image == 7).all()
