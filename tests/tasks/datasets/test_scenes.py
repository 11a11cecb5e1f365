import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.base import datasets
from tasks.datasets.rendering import scene as s
from tasks.datasets.rendering.camera import FOCAL, Camera
from tasks.datasets.rendering.layout import draw_scene
from tasks.datasets.rendering.render import render
from tasks.datasets.rendering.solids import box, cone, cylinder, ellipsoid, pyramid
from tasks.datasets.scenes import COUNTABLE, Scenes, annotate, contradictions
from tasks.errors import InputError

SAMPLES = 64


@pytest.fixture(scope="module")
def scenes():
    return Scenes()


@pytest.fixture(scope="module")
def samples(scenes):
    return [scenes.load("train", index) for index in range(SAMPLES)]


def digest(sample):
    """Hash all bytes of a sample."""
    of = sample.annotations
    arrays = [sample.image, of["classes"], of["depth"], of["points"], of["mask"]]
    arrays += [of["boxes"].xyxy, of["boxes"].labels, of["boxes"].difficult]
    return hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in arrays)).hexdigest()


def drawn(seed, size=64):
    scene = draw_scene(np.random.default_rng(seed))
    return scene, render(scene, size, np.random.default_rng(0))


# A sample is a pure function of (split, index, size).


@pytest.mark.parametrize(
    ("split", "index", "size", "expected"),
    [
        ("train", 0, 96, "524e76a802405308434b456b9d8f31a065c2d2c09c5b76fc82df9650bd356416"),
        ("val", 7, 64, "88f85e96b571fd22d1df0a638e5d86e54f6caa8fd8115d7580e418d6358bf866"),
        ("test", 3, 128, "64a65fee7ceea83ff22d97925fd5a9a5c0f68ebca11abc75266ef90959ff5d10"),
    ],
)
def test_bytes_are_those_of_this_version(split, index, size, expected):
    """A change of the renderer must raise VERSION, or records would compare different images."""
    assert digest(Scenes(size=size).load(split, index)) == expected


def test_manifest_is_that_of_this_version():
    assert Scenes().manifest() == "c71d761d5dbf8d65b2c1f7482fa4e91601d0258e528affddd777b0e39fe19ca9"


def test_every_option_changes_the_manifest():
    manifests = {Scenes(**option).manifest() for option in ({}, {"size": 64}, {"train": 9}, {"val": 9}, {"test": 9})}
    assert len(manifests) == 5


def test_order_of_loading_does_not_matter(samples):
    fresh = Scenes()
    for index in (5, 2, 5, 0):
        assert digest(fresh.load("train", index)) == digest(samples[index])


def test_samples_differ_by_index_and_split(scenes, samples):
    hashes = {digest(sample) for sample in samples} | {digest(scenes.load("val", 0)), digest(scenes.load("test", 0))}
    assert len(hashes) == SAMPLES + 2


def test_a_caller_may_write_into_a_sample(scenes, samples):
    scenes.load("train", 1).image[:] = 0
    assert digest(scenes.load("train", 1)) == digest(samples[1])


def test_few_images_are_the_first_of_many(samples):
    assert digest(Scenes(train=3).load("train", 2)) == digest(samples[2])


@pytest.mark.parametrize("index", range(4))
def test_size_changes_the_sampling_alone(index):
    """At three times the size, every third pixel's centre is where a pixel's centre of the small image is."""
    small, large = Scenes(size=32).load("train", index), Scenes(size=96).load("train", index)
    inner = (slice(1, None, 3), slice(1, None, 3))
    for kind in ("classes", "mask"):
        assert (large.annotations[kind][inner] == small.annotations[kind]).mean() > 0.995
    shared = small.annotations["classes"] == large.annotations["classes"][inner]
    ratio = large.annotations["depth"][inner][shared] / np.maximum(small.annotations["depth"][shared], 1e-6)
    assert np.median(ratio[small.annotations["depth"][shared] > 0]) == pytest.approx(1, abs=1e-4)


# Laws between annotations.


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_annotations_follow_from_what_is_seen(seed):
    scene, shown = drawn(seed)
    of = annotate(scene, shown)
    assert np.array_equal(of["depth"] == 0, of["classes"] == s.SKY)
    assert of["classes"].max() < len(s.CLASSES)
    assert set(np.unique(of["mask"])) == {0, 1}
    assert len(np.unique(shown.owner[of["mask"] == 1])) == 1
    people = shown.owner > len(scene.things)
    assert np.array_equal(people, of["classes"] == s.PERSON)
    columns, rows = of["points"].astype(int).T
    owners = shown.owner[rows, columns]
    assert people[rows, columns].all()
    assert len(set(owners)) == len(owners)  # one head a person
    visible = np.bincount(shown.owner.ravel(), minlength=len(shown.extent))
    assert (visible[1:] <= shown.extent[1:]).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_boxes_are_tight_around_visible_pixels(seed):
    scene, shown = drawn(seed)
    boxes = annotate(scene, shown)["boxes"]
    owners = [1 + index for index, thing in enumerate(scene.things) if thing.label in COUNTABLE]
    owners = [owner for owner in owners if (shown.owner == owner).sum() >= 0.0005 * 64 * 64]
    assert len(boxes.xyxy) == len(boxes.labels) == len(boxes.difficult) == len(owners)
    for owner, box_, label, difficult in zip(
        owners, boxes.xyxy.astype(int), boxes.labels, boxes.difficult, strict=True
    ):
        seen = shown.owner == owner
        x0, y0, x1, y1 = box_
        assert seen[y0:y1, x0:x1].sum() == seen.sum()
        assert all(edge.any() for edge in (seen[y0, x0:x1], seen[y1 - 1, x0:x1], seen[y0:y1, x0], seen[y0:y1, x1 - 1]))
        assert COUNTABLE[label] == scene.things[owner - 1].label
        assert difficult == (seen.sum() < 0.0025 * 64 * 64 or seen.sum() < 0.25 * shown.extent[owner])


def test_no_annotation_contradicts_another():
    assert Scenes(train=8, val=2, test=2).verify() == []


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (lambda of: of["classes"].__setitem__((0, 0), 77), "class 77"),
        (lambda of: of["depth"].fill(0), "depth is not positive"),
        (lambda of: of["mask"].fill(0), "no conspicuous object"),
        (lambda of: of["boxes"].xyxy.__setitem__((0, 2), 97), "leaves the image"),
        (lambda of: of["points"].__setitem__((0, 0), 96), "a head lies outside"),
        (lambda of: of["classes"].__setitem__(of["classes"] == s.PERSON, s.GROUND), "does not lie on a person"),
    ],
)
def test_contradictions_are_named(scenes, samples, harm, fault):
    index = next(i for i, sample in enumerate(samples) if len(sample.annotations["points"]))
    sample = scenes.load("train", index)
    harm(sample.annotations)
    assert any(fault in line for line in contradictions(sample))


# The data are worth learning from.


def test_every_class_occurs_and_none_swallows_the_rest(samples):
    pixels = sum(np.bincount(sample.annotations["classes"].ravel(), minlength=len(s.CLASSES)) for sample in samples)
    share = pixels / pixels.sum()
    assert share.min() > 0.004
    assert share.max() < 0.6


def test_counts_vary_from_none_to_many(samples):
    counts = np.array([len(sample.annotations["points"]) for sample in samples])
    assert counts.min() == 0
    assert counts.max() > 30
    assert 5 < np.median(counts) < 20


def test_every_category_has_boxes_and_images_differ_in_their_number(scenes, samples):
    boxes = [sample.annotations["boxes"] for sample in samples]
    labels = np.concatenate([each.labels[~each.difficult] for each in boxes])
    assert (np.bincount(labels, minlength=len(scenes.info.categories)) > 20).all()
    assert len({len(each.labels) for each in boxes}) > 4


def test_conspicuous_object_is_neither_a_speck_nor_everything(samples):
    shares = np.array([sample.annotations["mask"].mean() for sample in samples])
    assert shares.min() > 0.005
    assert shares.max() < 0.5


def test_info_describes_the_annotations(scenes):
    info = scenes.info
    assert len(info.classes) == len(info.palette) == len(set(info.palette)) == 12
    assert [info.classes[each] for each in info.category_ids] == list(info.categories)


# Geometry, against closed forms: an eye 2 m up looks at bodies 10 m ahead.

LEVEL = Camera(height=2.0, pitch=0.0)


def centre_depth(solid):
    """Depth at the principal point of a level camera: along the horizontal ray at eye height."""
    return solid.hit(LEVEL.height, LEVEL.rays(65))[0][32, 32]


@pytest.mark.parametrize(
    ("solid", "expected"),
    [
        (ellipsoid(0, 10, 2, 0, 4), 8.0),
        (cylinder(0, 10, 1.5, 0, 3), 8.5),
        (cone(0, 10, 2, 0, 4), 9.0),
        (box(0, 10, 3, 2, 3, (1.0, 0.0)), 9.0),
        (pyramid(0, 10, 4, 4, (1.0, 0.0)), 9.0),
        (cylinder(3, 10, 1.5, 0, 3), np.inf),
        (box(0, 10, 3, 2, 1.9, (1.0, 0.0)), np.inf),
    ],
)
def test_rays_meet_solids_where_geometry_says(solid, expected):
    assert centre_depth(solid) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "solid",
    [
        ellipsoid(0.3, 8, 1, 0.2, 1.8),
        cylinder(0.3, 8, 1, 0, 1.5),
        cone(0.3, 8, 1, 0, 1.5),
        box(0.3, 8, 1, 2, 1.5, (0.8, 0.6)),
        pyramid(0.3, 8, 1.5, 1.5, (0.8, 0.6)),
    ],
)
def test_surfaces_face_the_eye_and_stay_within_their_corners(solid):
    camera = Camera(height=3.5, pitch=0.3)
    rays = camera.rays(64)
    depth, normal = solid.hit(camera.height, rays)
    hit = np.isfinite(depth)
    assert hit.sum() > 40
    reach = np.where(hit, depth, 0)
    points = np.stack([reach * rays.x, camera.height + reach * rays.y, reach * rays.z])[:, hit]
    low, high = solid.corners().min(axis=1), solid.corners().max(axis=1)
    assert (points > low[:, None] - 1e-3).all()
    assert (points < high[:, None] + 1e-3).all()
    facing = normal[0] * rays.x + normal[1] * rays.y + normal[2] * rays.z
    assert (facing[hit] < 1e-4).all()
    assert np.linalg.norm(normal[:, hit], axis=0) == pytest.approx(1, abs=1e-3)


def test_projection_inverts_the_rays():
    camera, size = Camera(height=3.0, pitch=0.3), 48
    rays = camera.rays(size)
    depth = np.random.default_rng(0).uniform(2, 20, (size, size))
    columns, rows = camera.project(depth * rays.x, camera.height + depth * rays.y, depth * rays.z)
    centres = np.arange(size) + 0.5
    assert columns * size == pytest.approx(np.broadcast_to(centres, (size, size)), abs=1e-3)
    assert rows * size == pytest.approx(np.broadcast_to(centres[:, None], (size, size)), abs=1e-3)


def test_ground_depth_is_that_of_the_calibrated_plane(samples):
    """Back-projected through the centre of the image, the ground's pixels lie on one plane."""
    sample = samples[0]
    flat = np.isin(sample.annotations["classes"], (s.GROUND, s.PATH, s.WATER)) & (sample.annotations["depth"] < 15)
    rows, columns = np.nonzero(flat)
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])
    intrinsics = np.array([[FOCAL * 96, 0, 48], [0, FOCAL * 96, 48], [0, 0, 1]])
    points = np.linalg.inv(intrinsics) @ pixels * sample.annotations["depth"][flat]
    _, spread, _ = np.linalg.svd(points - points.mean(axis=1, keepdims=True), full_matrices=False)
    assert spread[2] < 1e-4 * spread[1]


# Bad options.


@pytest.mark.parametrize("option", [{"size": 31}, {"train": 0}, {"val": -1}, {"test": 0}])
def test_bad_options_name_themselves(option):
    with pytest.raises(InputError, match=rf"scenes: {next(iter(option))} is {next(iter(option.values()))}.*set data\."):
        Scenes(**option)


def test_unknown_split_and_index(scenes):
    with pytest.raises(InputError, match="unknown split 'tran'; did you mean 'train'"):
        scenes.ids("tran")
    with pytest.raises(IndexError, match="no sample 64 in val, which has 64"):
        scenes.load("val", 64)


def test_registered_with_its_options():
    assert datasets["scenes"] is Scenes
    assert Scenes(val=2).ids("val") == ["val-00000", "val-00001"]
