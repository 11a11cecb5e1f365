"""Batches made on the device are those of the host, and a sample's pixels do not depend on its batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from benchmark.training.randomness import Randomness
from tasks.annotations.kind import Info, Moved, MovedBatch, kinds
from tasks.base import Batch, Dataset, Sample, datasets, tasks
from tasks.data import resident
from tasks.data.augment import Augment
from tasks.data.batch_colour import recoloured
from tasks.data.cache import Cached, MemoryCache
from tasks.data.change import BRIGHTNESS, CONTRAST, HUE, SATURATION, Change
from tasks.data.clips import Frames
from tasks.data.loader import Images, Part, Plan, stream
from tasks.data.resident import Resident, host_only, resident_stream
from tasks.errors import InputError
from tasks.nested import mapped
from tasks.outputs.bayesian import PointTarget
from tasks.outputs.boxes import BoxTarget
from tasks.segmentation import Segmentation
from tests.support import assert_alike, built_in
from tests.tasks.annotations.test_new_kind import Normals

CPU = torch.device("cpu")
PARTS = (Part("labeled", (0, 2, 3, 5)), Part("unlabeled.0", (1, 2, 4), hidden=True))
CROP = (40, 44)
VARIED = Augment(CROP, (0.6, 1.6), 0.5, 0.3)
SAID = [("count", {"sigma": None}), ("count", {"loss": "bayesian"}), *((name, {}) for name in built_in(tasks))]


def problem(name: str, **options: Any) -> tuple[Images, Any]:
    dataset = datasets[tasks[name].dataset](size=48, train=6)
    task = tasks[name](dataset.info, **options)
    kept = Frames(Cached(dataset, MemoryCache()), task.frames)
    return Images(kept, "train", frozenset({task.annotation})), task


def both(name: str, augment: Augment, **options: Any) -> Iterator[tuple[Mapping[str, Batch], Mapping[str, Batch]]]:
    images, task = problem(name, **options)
    plan = Plan(PARTS, 4, 0, 6)
    made = resident_stream(Resident(images, CPU), task, augment, Randomness(0), plan)
    return zip(stream(images, task, augment, Randomness(0), plan), made, strict=True)


def assert_same_target(found: Any, expected: Any) -> None:
    """Hold targets against each other, whose rows without a box or point may be others."""
    if isinstance(expected, BoxTarget):
        for row in range(len(expected.labels)):
            there, here = expected.labels[row] >= 0, found.labels[row] >= 0
            assert torch.equal(found.labels[row][here], expected.labels[row][there])
            torch.testing.assert_close(found.xyxy[row][here], expected.xyxy[row][there], rtol=0, atol=1e-3)
    elif isinstance(expected, PointTarget):
        assert found.size == expected.size
        for row in range(len(expected.weight)):
            there, here = expected.weight[row] > 0, found.weight[row] > 0
            torch.testing.assert_close(found.xy[row][here], expected.xy[row][there], rtol=0, atol=1e-3)
    else:
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert_alike(found, expected) if expected.dtype.is_floating_point else torch.testing.assert_close(
            found, expected, rtol=0, atol=0
        )


@pytest.mark.parametrize(("name", "options"), SAID)
def test_geometry_and_targets_are_those_of_the_host(name: str, options: dict[str, Any]) -> None:
    for expected, found in both(name, Augment(CROP, (0.6, 1.6), 0.5, 0.0), **options):
        for part in PARTS:
            ours, theirs = found[part.name], expected[part.name]
            assert torch.equal(ours.inside, theirs.inside)
            assert (ours.image.dtype, ours.image.stride()) == (theirs.image.dtype, theirs.image.stride())
            assert int((ours.image.int() - theirs.image.int()).abs().max()) <= 1, "interpolation is rounded otherwise"
        assert found["unlabeled.0"].target is None
        assert_same_target(found["labeled"].target, expected["labeled"].target)


@pytest.mark.parametrize("name", ["seg", "attention"])
def test_colours_are_those_of_the_host(name: str) -> None:
    """Where nothing is interpolated every change of colour differs by what it rounds, whatever their order."""
    for expected, found in both(name, Augment(CROP, (1.0, 1.0), 0.5, 0.3)):
        difference = (found["labeled"].image.int() - expected["labeled"].image.int()).abs()
        assert int(difference.max()) <= 2
        assert float((difference > 0).float().mean()) < 0.01


def test_zoomed_and_coloured_images_are_close_to_those_of_the_host() -> None:
    differences = [
        (found["labeled"].image.int() - expected["labeled"].image.int()).abs()
        for expected, found in both("seg", VARIED)
    ]
    assert int(torch.stack(differences).max()) <= 6
    assert float(torch.stack(differences).float().mean()) < 0.25


@pytest.mark.parametrize(
    "augment",
    [VARIED, Augment(CROP, (1.0, 1.0), 1.0, 0.0), Augment((64, 64), (0.5, 1.2), 0.0, 1.0)],
    ids=["varied", "mirrored", "padded"],
)
def test_the_same_numbers_are_drawn_as_albumentations_draws(augment: Augment) -> None:
    sample = Sample("noise", np.random.default_rng(0).integers(0, 256, (48, 52, 3), np.uint8), {})
    for seed in range(60):
        augment(sample, np.random.default_rng(seed))
        change = augment.draw((48, 52), np.random.default_rng(seed))
        done = {type(each).__name__: each.params for each in augment._compose.transforms}
        zoom = done.get("_Scale", {"scale": 1.0})["scale"]
        assert change.size == (int(48 * zoom), int(52 * zoom))
        assert change.pad == (done["PadIfNeeded"]["pad_top"], done["PadIfNeeded"]["pad_left"])
        assert change.start == done["RandomCrop"]["crop_coords"][1::-1]
        assert change.mirrored == bool(done["_Flip"])
        colours = done.get("_ColorJitter") or {"order": []}
        names = {BRIGHTNESS: "brightness", CONTRAST: "contrast", SATURATION: "saturation"}
        assert change.colours == tuple((kind, colours[names[kind]]) for kind in colours["order"] if kind != HUE)


@pytest.mark.parametrize(("name", "options"), SAID)
def test_a_sample_is_the_same_whatever_lies_beside_it(name: str, options: dict[str, Any]) -> None:
    images, task = problem(name, **options)
    together = Resident(images, CPU)
    whole = list(resident_stream(together, task, VARIED, Randomness(0), Plan(PARTS, 4, 0, 3)))
    alone = list(resident_stream(Resident(images, CPU), task, VARIED, Randomness(0), Plan(PARTS[:1], 1, 0, 12)))
    for position, batches in enumerate(alone):
        batch, found = whole[position // 4]["labeled"], batches["labeled"]
        own = slice(position % 4, position % 4 + 1)
        assert torch.equal(found.image, batch.image[own])
        assert torch.equal(found.inside, batch.inside[own])
        whole_target = batch.target
        if isinstance(whole_target, Tensor):
            assert_same_target(found.target, whole_target[own])
        elif isinstance(whole_target, PointTarget):
            assert_same_target(found.target, PointTarget(whole_target.xy[own], whole_target.weight[own], CROP))
        else:
            assert_same_target(found.target, BoxTarget(*(each[own] for each in whole_target)))


def test_batches_do_not_depend_on_the_start_nor_on_other_parts_nor_on_what_was_loaded() -> None:
    images, task = problem("seg")
    whole = list(resident_stream(Resident(images, CPU, workers=1), task, VARIED, Randomness(0), Plan(PARTS, 4, 0, 3)))
    shared = Resident(images, CPU)
    for parts, start in ((PARTS[:1], 0), (PARTS, 2)):  # the second finds images that the first loaded, in other rows
        for found, expected in zip(
            resident_stream(shared, task, VARIED, Randomness(0), Plan(parts, 4, start, 3)), whole[start:], strict=True
        ):
            assert all(torch.equal(found[part.name].image, expected[part.name].image) for part in parts)
            assert torch.equal(found["labeled"].target, expected["labeled"].target)


def test_images_without_a_change_of_colour_are_left_alone_beside_others() -> None:
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 8, 9, 6), np.uint8))
    changes = [Change((8, 9), (0, 0), (0, 0), False, colours) for colours in ((), ((CONTRAST, 0.5),), ())]
    changed = recoloured(images, changes)
    for image, change, found in zip(images, changes, changed, strict=True):
        assert torch.equal(image, found) == (not change.colours)


@pytest.mark.parametrize("name", built_in(tasks))
def test_every_task_of_the_suite_is_augmented_on_the_device(name: str) -> None:
    assert host_only(problem(name)[1]) is None


@pytest.mark.parametrize(("name", "options"), SAID)
def test_a_gpu_that_is_not_there_makes_every_batch_without_waiting_for_a_value(
    name: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fake tensors know their device, and raise where the shape of one hangs on the values of another."""
    images, task = problem(name, **options)
    samples = [images[index] for index in range(6)]  # rendered on the real processor
    monkeypatch.setattr(resident, "DataLoader", lambda chosen, **_: [samples[index] for index in chosen.indices])
    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: tensor)
    devices = []
    with FakeTensorMode(allow_non_fake_inputs=True):
        stored = Resident(images, torch.device("cuda"))
        for batches in resident_stream(stored, task, VARIED, Randomness(0), Plan(PARTS, 4, 0, 2)):
            mapped(batches, lambda tensor: devices.append(tensor.device.type) or tensor)
    assert set(devices) == {"cuda"}


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "options"), SAID)
def test_a_gpu_makes_the_batches_of_a_cpu(name: str, options: dict[str, Any]) -> None:
    images, task = problem(name, **options)
    plan = Plan(PARTS, 4, 0, 6)
    streams = [
        resident_stream(Resident(images, torch.device(device)), task, VARIED, Randomness(0), plan)
        for device in ("cpu", "cuda")
    ]
    for expected, there in zip(*streams, strict=True):
        found = mapped(there, Tensor.cpu)
        for part in PARTS:
            assert torch.equal(found[part.name].inside, expected[part.name].inside)
            difference = found[part.name].image.int() - expected[part.name].image.int()
            assert int(difference.abs().max()) <= 1
        assert_same_target(found["labeled"].target, expected["labeled"].target)


class BatchedNormals(Normals):
    """Unit vectors a pixel, (H,W,3), x to the right, moved in batches as well."""

    def moved(self, value: np.ndarray, moved: Moved) -> np.ndarray:
        return super().moved(value, moved)

    def moved_batch(self, moved: MovedBatch) -> Tensor:
        sign = torch.where(moved.mirrored[:, None], -1.0, 1.0) * torch.tensor([1.0, 0.0, 0.0]) + torch.tensor([0, 1, 1])
        return super().moved_batch(moved) * sign[:, None, None]


class Facing(Segmentation):
    """The normals themselves, as a target."""

    annotation = "normals"

    def target(self, sample: Sample) -> Tensor:
        return torch.from_numpy(sample.annotations["normals"])


class BatchedFacing(Facing):
    """The same, said of a batch as well."""

    def target(self, sample: Sample) -> Tensor:
        return super().target(sample)

    def targets(self, values: Tensor) -> Tensor:
        return values


class Faces(Dataset):
    """Images with normals, the second of another size where that is asked for."""

    name, provides, info = "faces", frozenset({"normals"}), Info(classes=("a", "b"))

    def __init__(self, second: int = 40) -> None:
        self.widths = (40, second)

    def ids(self, split: str) -> Sequence[str]:
        return ["a", "b"]

    def load(self, split: str, index: int) -> Sample:
        rng = np.random.default_rng(index)
        size = (32, self.widths[index])
        normals = rng.normal(size=(*size, 3)).astype(np.float32)
        return Sample(self.ids(split)[index], rng.integers(0, 256, (*size, 3), np.uint8), {"normals": normals})

    def manifest(self) -> str:
        return "faces"

    def verify(self) -> list[str]:
        return []


@pytest.fixture
def normals() -> Iterator[None]:
    kinds.register("normals")(BatchedNormals)
    yield
    kinds.withdraw("normals")


@pytest.mark.usefixtures("normals")
def test_a_new_kind_says_how_its_batches_move() -> None:
    task, images = BatchedFacing(Faces.info), Images(Faces(), "train", frozenset({"normals"}))
    assert host_only(task) is None
    plan = Plan([Part("labeled", (0, 1))], 2, 0, 5)
    made = resident_stream(Resident(images, CPU), task, VARIED, Randomness(0), plan)
    for expected, found in zip(stream(images, task, VARIED, Randomness(0), plan), made, strict=True):
        assert torch.equal(found["labeled"].target, expected["labeled"].target)


@pytest.mark.usefixtures("normals")
def test_a_class_that_changes_how_one_sample_moves_but_not_a_batch_stays_on_the_host() -> None:
    assert host_only(Facing(Faces.info)) == "Facing has no `targets` beside its `target`"
    kinds.withdraw("normals")
    kinds.register("normals")(Normals)
    assert host_only(BatchedFacing(Faces.info)) == "Normals has no `moved_batch` beside its `moved`"


@pytest.mark.usefixtures("normals")
def test_images_of_several_sizes_are_an_error() -> None:
    images = Images(Faces(second=41), "train", frozenset({"normals"}))
    with pytest.raises(InputError, match=r"image 'b' has a size of 32x41, expected that of the first, 32x40; set data"):
        Resident(images, CPU).load([0, 1])
