"""A folder of one's own, in every layout: what was written is what is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.base import IGNORE, Boxes, Sample
from tasks.datasets.folder import Folder
from tasks.datasets.reading.formats.base import formats
from tasks.datasets.reading.summary import summary
from tasks.datasets.scenes import Scenes
from tests.tasks.datasets.own_layouts import LAYOUTS, Layout, apart, density_of

COUNT = 12


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    scenes = Scenes(size=48, train=COUNT, val=1, test=1)
    return [plain(scenes.load("train", index)) for index in range(COUNT)]


def plain(sample: Sample) -> Sample:
    """Leave out what some layout cannot tell: boxes as thin as a pixel, depth beyond 65 m."""
    boxes, depth = sample.annotations["boxes"], sample.annotations["depth"]
    wide = (boxes.xyxy[:, 2:] - boxes.xyxy[:, :2] > 1.01).all(axis=1)
    kept = Boxes(boxes.xyxy[wide], boxes.labels[wide], boxes.difficult[wide])
    return replace(sample, annotations={**sample.annotations, "boxes": kept, "depth": np.where(depth < 65, depth, 0)})


@pytest.fixture(params=LAYOUTS.values(), ids=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> Layout:
    found: Layout = request.param
    return found


def everything(data: Folder) -> list[Sample]:
    return [data.load(split, index) for split in data.splits for index in range(len(data.ids(split)))]


def same(found: Any, layout: Layout, sample: Sample) -> bool:
    """Whether an annotation is that of a sample, as far as its layout can tell it."""
    size = sample.image.shape[0], sample.image.shape[1]
    if layout.format == "looks":
        return len(found.points) == 2 and found.density.shape == size
    if layout.kind == "fixations":
        return bool((found.density == density_of(sample)).all())
    wanted = sample.annotations[layout.kind]
    if isinstance(wanted, Boxes):
        return bool(np.allclose(found.xyxy, wanted.xyxy, atol=1e-3) and (found.labels == wanted.labels).all())
    if layout.kind == "points":
        wanted = apart(wanted, size) if layout.format == "dots" else wanted
        order = [sorted(map(tuple, np.round(points, 1).tolist())) for points in (found, wanted)]
        return len(found) == len(wanted) and bool(np.allclose(*order, atol=0.2) if len(found) else True)
    if layout.kind == "mask":
        return bool((found == (wanted == 1)).all())
    if layout.kind == "depth":
        scale = layout.options["scale"]
        near = np.where(np.round(wanted * scale) < 65535, wanted, 0) if layout.format == "depth" else wanted
        return bool(np.allclose(found, near, atol=1 / scale if layout.format == "depth" else 0))
    pairs = np.unique(np.stack([found.ravel(), wanted.ravel()]), axis=1)  # classes are labels in their order
    return found.shape == wanted.shape and bool((np.diff(pairs[0]) > 0).all() and (np.diff(pairs[1]) > 0).all())


def test_what_was_written_is_read(layout: Layout, samples: Sequence[Sample], tmp_path: Path) -> None:
    layout.write(tmp_path / "data", samples)
    data = Folder(root=str(tmp_path / "data"), **layout.options)
    assert data.format.name == layout.format
    assert layout.kind in data.provides
    assert data.verify() == []
    read = everything(data)
    assert len(read) == COUNT
    assert len({each.id for each in read}) == COUNT
    assert all(len(data.ids(split)) > 0 for split in data.splits)
    left = list(samples)
    for each in read:  # JPEG moves pixels, so the nearest image is the one
        nearest = min(left, key=lambda sample: np.abs(sample.image.astype(int) - each.image.astype(int)).mean())
        assert same(each.annotations[layout.kind], layout, nearest), each.id
        left = [sample for sample in left if sample is not nearest]
    assert {f"train {layout.kind}"} <= summary(data).keys()


def test_what_inspection_proposes_can_be_used(layout: Layout, samples: Sequence[Sample], tmp_path: Path) -> None:
    layout.write(tmp_path, samples)
    proposed = [dict(each) for each in Folder.proposals(tmp_path)]
    fitting = [each for each in proposed if layout.options.items() <= each.items()]
    assert fitting, proposed
    data = Folder(root=str(tmp_path), **fitting[0])
    assert layout.kind in data.provides
    assert len(data.ids("train")) > 0


def test_every_format_is_written_by_a_layout() -> None:
    assert {layout.format for layout in LAYOUTS.values()} == set(formats)


def test_the_manifest_is_of_content_and_options(samples: Sequence[Sample], tmp_path: Path) -> None:
    for place in ("a", "b/deep"):
        LAYOUTS["colour masks"].write(tmp_path / place, samples)
    first = Folder(root=str(tmp_path / "a")).manifest()
    assert Folder(root=str(tmp_path / "b" / "deep")).manifest() == first
    assert Folder(root=str(tmp_path / "a"), ignore=["thing 1"]).manifest() != first


def test_classes_have_their_names_colours_and_holes(samples: Sequence[Sample], tmp_path: Path) -> None:
    LAYOUTS["colour masks"].write(tmp_path, samples)
    found = Folder(root=str(tmp_path)).info
    ignored = Folder(root=str(tmp_path), ignore=[found.classes[0]])
    assert ignored.info.classes == found.classes[1:]
    assert any((sample.annotations["classes"] == IGNORE).any() for sample in everything(ignored))
