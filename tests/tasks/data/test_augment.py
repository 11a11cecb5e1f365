"""Image and annotations move together, by keyed generators alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.base import Boxes, Sample
from tasks.data.augment import Augment
from tasks.data.resize import resize_image, resize_sample, target_size


def marked(height: int = 40, width: int = 60) -> Sample:
    """A sample whose annotations can all be read off its image: a bright box on black."""
    image = np.zeros((height, width, 3), np.uint8)
    image[10:22, 20:44] = 255
    classes = (image[..., 0] > 0).astype(np.uint8)
    boxes = Boxes(np.array([[20.0, 10.0, 44.0, 22.0]]), np.array([3]), np.array([True]))
    points = np.array([[32.0, 16.0]], np.float32)
    annotations = {"classes": classes, "mask": classes.copy(), "depth": classes * 2.5, "boxes": boxes, "points": points}
    return Sample("marked", image, annotations)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_annotations_follow_the_image(seed: int) -> None:
    augment = Augment((32, 48), (0.6, 1.6), 0.5, 0.0)
    sample, inside = augment(marked(), np.random.default_rng(seed))
    bright = sample.image[..., 0] > 127
    found = sample.annotations
    assert sample.image.shape == (32, 48, 3)
    assert inside.shape == (32, 48)
    assert (found["classes"][~inside] == 255).all()
    assert np.mean(bright[inside] == (found["classes"][inside] == 1)) > 0.9
    assert (found["mask"][~inside] == 255).all()
    np.testing.assert_array_equal(found["mask"][inside] * 2.5, found["depth"][inside])
    for box in found["boxes"].xyxy:
        rows, columns = np.nonzero(bright)
        measured = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(box, measured, atol=2)
    for x, y in found["points"]:
        assert 0 <= x < 48
        assert 0 <= y < 32
        assert bright[min(int(y), 31), min(int(x), 47)]


def test_the_generator_decides_everything() -> None:
    augment = Augment((32, 48), (0.6, 1.6), 0.5, 0.4)
    first, _ = augment(marked(), np.random.default_rng(1))
    augment(marked(), np.random.default_rng(2))
    again, _ = augment(marked(), np.random.default_rng(1))
    np.testing.assert_array_equal(first.image, again.image)


def test_parameters_are_drawn_one_by_one() -> None:
    """Flip and crop must not hang together, as they would if every transform had the same seed."""
    augment = Augment((32, 32), (1.0, 1.0), 0.5, 0.0)
    lefts: dict[bool, list[float]] = {True: [], False: []}
    ramp = np.repeat(np.arange(60, dtype=np.uint8)[None, :, None], 40, axis=0).repeat(3, axis=2)
    for seed in range(200):
        image = augment(Sample("ramp", ramp, {}), np.random.default_rng(seed))[0].image
        flipped = bool(image[0, 0, 0] > image[0, -1, 0])
        lefts[flipped].append(float(image[..., 0].min()))
    assert 60 < len(lefts[True]) < 140
    assert abs(np.mean(lefts[True]) - np.mean(lefts[False])) < 5


def test_a_share_of_both_sides_is_cropped_and_annotations_follow() -> None:
    augment = Augment((1, 1), (1.0, 1.0), 0.0, 0.0, (0.5, 0.9))
    shares = []
    for seed in range(50):
        sample, inside = augment(marked(), np.random.default_rng(seed))
        height, width = sample.image.shape[:2]
        before = marked().image.shape
        shares.append(height / before[0])
        assert abs(height / before[0] - width / before[1]) < 2 / min(before[:2])
        assert inside.all()
        bright = sample.image[..., 0] > 127
        np.testing.assert_array_equal(bright, sample.annotations["classes"] == 1)
        assert all(bright[int(y), int(x)] for x, y in sample.annotations["points"])
    assert 0.45 < min(shares) < 0.6
    assert 0.8 < max(shares) <= 0.9


def test_no_augmentation_is_the_identity() -> None:
    sample, inside = Augment((40, 60), (1.0, 1.0), 0.0, 0.0)(marked(), np.random.default_rng(0))
    np.testing.assert_array_equal(sample.image, marked().image)
    np.testing.assert_allclose(sample.annotations["boxes"].xyxy, marked().annotations["boxes"].xyxy, rtol=1e-4)
    assert sample.annotations["boxes"].difficult.tolist() == [True]
    assert inside.all()


@pytest.mark.parametrize(
    ("size", "expected"), [(None, (40, 60)), (20, (20, 30)), ([10, 12], (10, 12)), ((80, 120), (80, 120))]
)
def test_sizes(size: object, expected: tuple[int, int]) -> None:
    assert target_size(marked().image, size) == expected
    resized = resize_sample(marked(), expected)
    assert resized.image.shape[:2] == expected
    assert resized.annotations["classes"].shape == expected
    ratio = np.array([expected[1] / 60, expected[0] / 40] * 2)
    np.testing.assert_allclose(resized.annotations["boxes"].xyxy, marked().annotations["boxes"].xyxy * ratio)
    np.testing.assert_allclose(resized.annotations["points"], marked().annotations["points"] * ratio[:2], rtol=1e-4)


@pytest.mark.parametrize("size", [(20, 30), (60, 90)])
def test_the_frames_of_a_clip_are_resized_alike(size: tuple[int, int]) -> None:
    clip = np.random.default_rng(0).integers(0, 256, (40, 60, 9), np.uint8)
    resized = resize_image(clip, size)
    for frame in range(3):
        channels = slice(3 * frame, 3 * frame + 3)
        alone = resize_image(clip[..., channels].copy(), size)
        np.testing.assert_allclose(
            resized[..., channels], alone, atol=1, rtol=0
        )  # OpenCV may round three channels apart


def dotted(xy: np.ndarray, size: tuple[int, int]) -> Sample:
    """A sample whose pixels are all different, with points and, at the same places, the corners of boxes."""
    numbers = np.arange(size[0] * size[1]).reshape(size)
    image = np.stack([numbers % 256, numbers // 256, np.zeros(size, int)], axis=2).astype(np.uint8)
    boxes = Boxes(np.concatenate([xy, xy + 4], axis=1), np.arange(len(xy)), np.zeros(len(xy), bool))
    return Sample("dotted", image, {"points": xy.astype(np.float32), "boxes": boxes})


def test_a_flip_mirrors_continuous_coordinates() -> None:
    """The middle of the last pixel becomes that of the first, and the border, which counts as inside, stays inside."""
    points = np.array([[9.5, 1], [0.3, 2], [5, 3], [0, 4]])
    flipped, _ = Augment((6, 10), (1.0, 1.0), 1.0, 0.0)(dotted(points, (6, 10)), np.random.default_rng(0))
    expected = [[0.5, 1], [9.7, 2], [5, 3], [10, 4]]
    np.testing.assert_allclose(flipped.annotations["points"], expected, atol=1e-5)
    assert (flipped.annotations["points"][:, 0] < 10).all()


def test_a_flip_mirrors_boxes_to_the_border() -> None:
    boxes = Boxes(np.array([[0, 0, 10, 6], [9.5, 1, 10, 3], [0, 0, 0.5, 6]]), np.arange(3), np.zeros(3, bool))
    sample = Sample("boxes", np.zeros((6, 10, 3), np.uint8), {"boxes": boxes})
    flipped, _ = Augment((6, 10), (1.0, 1.0), 1.0, 0.0)(sample, np.random.default_rng(0))
    expected = [[0, 0, 10, 6], [0, 1, 0.5, 3], [9.5, 0, 10, 6]]
    np.testing.assert_allclose(flipped.annotations["boxes"].xyxy, expected, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 19)), min_size=1, unique=True))
def test_a_point_stays_on_its_pixel(seed: int, pixels: list[tuple[int, int]]) -> None:
    before = dotted(np.array(pixels) + 0.5, (20, 30))
    colours = {tuple(before.image[y, x]) for x, y in pixels}
    after, inside = Augment((24, 17), (1.0, 1.0), 0.5, 0.0)(before, np.random.default_rng(seed))
    columns, rows = np.floor(after.annotations["points"]).astype(int).T
    kept = {tuple(colour) for colour in after.image[rows, columns]}
    assert kept == colours & {tuple(colour) for colour in after.image[inside]}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.tuples(st.floats(0, 28), st.floats(0, 18)), min_size=1, max_size=9))
def test_points_move_as_the_corners_of_boxes(seed: int, places: list[tuple[float, float]]) -> None:
    """Zoomed, padded, cut and mirrored, a point lies where the corner of a box does that lay there."""
    corners = np.array(places)[:, None] + np.array([[0.0, 0.0], [1.5, 1.5]])
    boxes = Boxes(corners.reshape(-1, 4), np.arange(len(corners)), np.zeros(len(corners), bool))
    points = corners.reshape(-1, 2).astype(np.float32)
    sample = Sample("corners", np.zeros((20, 30, 3), np.uint8), {"boxes": boxes, "points": points})
    augmented, _ = Augment((40, 60), (0.5, 1.3), 0.5, 0.0)(sample, np.random.default_rng(seed))
    found = augmented.annotations["points"].reshape(-1, 2, 2)
    assert len(found) == len(corners), "the image was padded: nothing leaves it"
    xyxy = np.concatenate([found.min(axis=1), found.max(axis=1)], axis=1)
    np.testing.assert_allclose(xyxy, augmented.annotations["boxes"].xyxy, atol=1e-3)
