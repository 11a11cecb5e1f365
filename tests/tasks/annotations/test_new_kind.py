"""A kind of annotation is one class: made-up ones go through all that the suite does with annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmark.training.randomness import Randomness
from tasks.annotations.kind import Geometry, Info, Kind, Moved, array_fault, expected, kinds
from tasks.annotations.maps import MapKind
from tasks.base import Dataset, Sample
from tasks.data.augment import Augment
from tasks.data.cache import Cache, Cached, DiskCache, MemoryCache
from tasks.data.loader import Images, Part, Plan, stream
from tasks.data.preview import TILE, contact_sheet
from tasks.data.resize import resize_sample
from tasks.data.sheet import GAP
from tasks.datasets.reading.summary import summary
from tasks.errors import InputError
from tasks.segmentation import Segmentation

SIZE = (32, 40)


class Normals(MapKind):
    """Unit vectors a pixel, float32 (H,W,3), x to the right; zero where unknown."""

    title = "normals"
    unknown = 0

    def moved(self, value: np.ndarray, moved: Moved) -> np.ndarray:
        return super().moved(value, moved) * np.array([-1 if moved.mirrored else 1, 1, 1], np.float32)

    def draw(self, value: np.ndarray, image: np.ndarray, info: Info) -> np.ndarray:
        return (127.5 * (value + 1)).astype(np.uint8)

    def describe(self, values: Sequence[np.ndarray], info: Info) -> str:
        return f"{100 * np.mean([(normals != 0).any(axis=2).mean() for normals in values]):.0f} % known"

    def faults(self, value: np.ndarray, size: tuple[int, int], info: Info) -> list[str]:
        return array_fault(value, np.float32, (None, None, 3))


@dataclass
class Gaze:
    """Where people look: ``density`` float32 (H,W) and ``fixations`` float32 (K,2)."""

    density: np.ndarray
    fixations: np.ndarray


class GazeKind(Kind[Gaze]):
    """A record of a map and points."""

    title = "gaze"

    def resize(self, value: Gaze, image: tuple[int, int], size: tuple[int, int]) -> Gaze:
        ratio = np.array([size[1] / image[1], size[0] / image[0]])
        density = cv2.resize(value.density, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
        return Gaze(density, (value.fixations * ratio).astype(np.float32))

    def geometry(self, value: Gaze) -> Geometry:
        return Geometry(maps={"density": value.density}, points=value.fixations)

    def moved(self, value: Gaze, moved: Moved) -> Gaze:
        return Gaze(moved.maps["density"] * moved.inside, moved.points)

    def arrays(self, value: Gaze) -> dict[str, np.ndarray]:
        return dict(vars(value))

    def restore(self, arrays: Mapping[str, np.ndarray]) -> Gaze:
        return Gaze(**arrays)

    def empty(self, value: Gaze) -> Gaze:
        return Gaze(np.zeros_like(value.density), value.fixations[:0])

    def draw(self, value: Gaze, image: np.ndarray, info: Info) -> np.ndarray:
        return (image * value.density[..., None]).astype(np.uint8)

    def describe(self, values: Sequence[Gaze], info: Info) -> str:
        return f"{sum(len(gaze.fixations) for gaze in values)} fixations"

    def faults(self, value: Gaze, size: tuple[int, int], info: Info) -> list[str]:
        return [] if value.density.shape == size else [expected(str(size), value.density.shape)]


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    kinds.register("normals")(Normals)
    kinds.register("gaze")(GazeKind)
    yield
    kinds.withdraw("normals")
    kinds.withdraw("gaze")


class Faces(Dataset):
    """Three images whose left half faces left, where people look."""

    name = "faces"
    provides = frozenset({"normals", "gaze", "points"})
    info = Info(classes=("left", "right"))

    def ids(self, split: str) -> Sequence[str]:
        return ["a", "b", "c"]

    def load(self, split: str, index: int) -> Sample:
        left = np.arange(SIZE[1]) < SIZE[1] // 2
        image = np.where(left, 200, 20).astype(np.uint8)[None, :, None].repeat(SIZE[0], 0).repeat(3, 2)
        normals = np.zeros((*SIZE, 3), np.float32)
        normals[..., 0] = np.where(left, -1, 1)
        gaze = Gaze((image[..., 0] > 127).astype(np.float32), np.array([[4, 5], [30, 6], [8, 9]], np.float32))
        points = np.array([[20, 16]], np.float32)
        return Sample(str(index), image, {"normals": normals, "gaze": gaze, "points": points})

    def manifest(self) -> str:
        return "faces"

    def verify(self) -> list[str]:
        return []


class Facing(Segmentation):
    """To which side a pixel faces, learnt from its normal."""

    name = "facing"
    annotation = "normals"

    def target(self, sample: Sample) -> torch.Tensor:
        across = torch.from_numpy(sample.annotations["normals"][..., 0])
        return torch.where(across == 0, 255, (across > 0).long())


def sample() -> Sample:
    return Faces().load("train", 0)


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_it_is_mirrored_with_its_image(flip: float) -> None:
    augmented, _ = Augment(SIZE, (1.0, 1.0), flip, 0.0)(sample(), np.random.default_rng(0))
    bright, gaze = augmented.image[..., 0] > 110, augmented.annotations["gaze"]
    assert bright[0, 0] == (flip == 0)
    np.testing.assert_array_equal(gaze.density, bright)
    assert [bright[int(y), int(x)] for x, y in gaze.fixations] == [True, False, True]
    np.testing.assert_array_equal(augmented.annotations["normals"][..., 0], np.where(bright == (flip == 0), -1, 1))
    assert len(augmented.annotations["points"]) == 1, "each kind gets its own points back"


@pytest.mark.parametrize("seed", range(10))
def test_it_is_zoomed_and_cut_with_its_image(seed: int) -> None:
    augmented, inside = Augment((40, 36), (0.6, 1.6), 0.5, 0.0)(sample(), np.random.default_rng(seed))
    normals, gaze = augmented.annotations["normals"], augmented.annotations["gaze"]
    assert (normals.dtype, normals.shape) == (np.float32, (40, 36, 3))
    assert not normals[~inside].any()
    assert (normals[inside][:, 0] != 0).all()
    assert np.mean((gaze.density > 0) == (augmented.image[..., 0] > 110)) > 0.9
    assert len(gaze.fixations) <= 3
    assert (gaze.fixations < (36, 40)).all()


def test_it_is_resized_as_it_says() -> None:
    resized = resize_sample(sample(), (16, 20)).annotations
    assert resized["normals"].shape == (16, 20, 3)
    assert resized["gaze"].density.shape == (16, 20)
    np.testing.assert_array_equal(resized["gaze"].fixations, sample().annotations["gaze"].fixations / 2)


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_it_is_kept(where: str, tmp_path: Path) -> None:
    cache: Cache = MemoryCache() if where == "memory" else DiskCache(tmp_path)
    for _ in range(2):  # made, then kept
        annotations = Cached(Faces(), cache).load("train", 1).annotations
        assert annotations.keys() == Faces.provides
        np.testing.assert_array_equal(annotations["normals"], sample().annotations["normals"])
        np.testing.assert_array_equal(annotations["gaze"].density, sample().annotations["gaze"].density)
        np.testing.assert_array_equal(annotations["gaze"].fixations, sample().annotations["gaze"].fixations)


def test_it_is_drawn_and_told() -> None:
    sheet = np.array(contact_sheet(Faces()))
    assert sheet.shape[1] == GAP + 4 * (TILE + GAP), "the image and three annotations"
    lines = summary(Faces())
    assert lines["train normals"] == "100 % known (of 3 samples)"
    assert lines["train gaze"] == "9 fixations (of 3 samples)"


def test_a_task_learns_from_it() -> None:
    task, dataset = Facing(Faces.info), Faces()
    assert task.truth_size(sample()) == SIZE
    images = Images(dataset, "train", frozenset({"normals"}))
    augment = Augment((48, 48), (1.0, 1.0), 0.0, 0.0)
    (batches,) = stream(images, task, augment, Randomness(0), Plan([Part("labeled", (0, 1, 2))], 3, 0, 1))
    labeled = batches["labeled"]
    assert set(labeled.target.unique().tolist()) == {0, 1, 255}
    assert torch.equal(labeled.inside, labeled.target != 255)
    assert int(labeled.inside.sum()) == 3 * SIZE[0] * SIZE[1]


@pytest.mark.parametrize(
    "use",
    [
        lambda sample: resize_sample(sample, (8, 8)),
        lambda sample: Augment((8, 8), (1.0, 1.0), 0.0, 0.0)(sample, np.random.default_rng(0)),
    ],
    ids=["resize", "augment"],
)
def test_a_kind_that_nobody_registered_is_an_error(use: Callable[[Sample], object]) -> None:
    unknown = Sample("a", np.zeros((*SIZE, 3), np.uint8), {"normal": np.zeros((*SIZE, 3), np.float32)})
    with pytest.raises(InputError, match="unknown kind of annotation 'normal'; did you mean 'normals'"):
        use(unknown)


def test_a_kind_that_nobody_registered_is_neither_kept_nor_drawn_nor_told(tmp_path: Path) -> None:
    class Odd(Faces):
        provides = frozenset({"gase"})

        def load(self, split: str, index: int) -> Sample:
            return Sample("a", sample().image, {"gase": sample().annotations["gaze"]})

    for use in (
        lambda: DiskCache(tmp_path).put("train", 0, Odd().load("train", 0)),
        lambda: contact_sheet(Odd()),
        lambda: summary(Odd()),
    ):
        with pytest.raises(InputError, match="unknown kind of annotation 'gase'; did you mean 'gaze'"):
            use()
