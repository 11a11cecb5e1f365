"""Datasets of the Hugging Face library, on files that the tests write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.datasets.hf import HuggingFace
from tasks.errors import InputError

library = pytest.importorskip("datasets")
COUNT = 12


def rows() -> dict[str, list[Any]]:
    rng = np.random.default_rng(0)
    return {
        "image": [Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8)) for _ in range(COUNT)],
        "label": [Image.fromarray(rng.integers(0, 3, (24, 32), np.uint8)) for _ in range(COUNT)],
        "heads": [[[1.5, 2.5], [3.0, 4.0 + number]] for number in range(COUNT)],
        "objects": [{"bbox": [[1.0, 2.0, 5.0, 6.0]], "category": [number % 2]} for number in range(COUNT)],
    }


@pytest.fixture(params=["parquet", "arrow", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    whole = library.Dataset.from_dict(rows())
    whole = whole.cast_column("image", library.Image()).cast_column("label", library.Image())
    if request.param == "parquet":
        whole.to_parquet(tmp_path / "rows.parquet")
        return str(tmp_path / "rows.parquet")
    whole.save_to_disk(tmp_path / "saved")
    return str(next((tmp_path / "saved").glob("*.arrow"))) if request.param == "arrow" else str(tmp_path / "saved")


@pytest.mark.parametrize(("column", "kind"), [("label", "classes"), ("heads", "points"), ("objects", "boxes")])
def test_rows_are_read(place: str, column: str, kind: str) -> None:
    data = HuggingFace(path=place, annotation=column, kind=kind)
    assert [len(data.ids(split)) for split in data.splits] == [8, 2, 2]
    assert data.verify() == []
    wanted = rows()
    for split in data.splits:
        for index, name in enumerate(data.ids(split)):
            sample, number = data.load(split, index), int(name.rpartition("-")[2])
            assert (sample.image == np.asarray(wanted["image"][number])).all()
            value = sample.annotations[kind]
            if kind == "classes":
                assert (value == np.asarray(wanted["label"][number])).all()
            elif kind == "points":
                assert value.tolist() == wanted["heads"][number]
            else:
                assert (value.xyxy.tolist(), value.labels.tolist()) == ([[1, 2, 6, 8]], [number % 2])
    assert data.manifest() == HuggingFace(path=place, annotation=column, kind=kind).manifest()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected data.path, data.annotation"):
        HuggingFace()
    with pytest.raises(InputError, match="expected a set that datasets can load"):
        HuggingFace(path=str(tmp_path / "x.parquet"), annotation="a", kind="classes")
    library.Dataset.from_dict({"image": [1], "mask": [2]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="expected a column 'masks', found none; did you mean 'mask'"):
        HuggingFace(path=str(tmp_path / "x.parquet"), annotation="masks", kind="classes")


def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **columns: list[Any]) -> str:
    """Write rows with other columns in place of those of ``rows``."""
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    whole = library.Dataset.from_dict({"image": rows()["image"], **columns})
    for name, values in {"image": rows()["image"], **columns}.items():
        whole = whole.cast_column(name, library.Image()) if isinstance(values[0], Image.Image) else whole
    whole.to_parquet(tmp_path / "rows.parquet")
    return str(tmp_path / "rows.parquet")


@pytest.mark.parametrize("classes", [None, ["cat", "dog"]])
def test_categories_are_numbers(classes: list[str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = [{"bbox": [[1.0, 2.0, 5.0, 6.0]], "category": ["cat"]} for _ in range(COUNT)]
    path = stored(tmp_path, monkeypatch, objects=objects)
    expected = (
        r"train-\d+: expected categories as numbers in 'category', found 'cat'; number them, and give their names"
    )
    with pytest.raises(InputError, match=expected):
        HuggingFace(path=path, annotation="objects", kind="boxes", classes=classes).load("train", 0)


def test_depth_is_none_where_nothing_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    depth = Image.fromarray(np.array([[0, 1500, 65535]], np.uint16))
    path = stored(tmp_path, monkeypatch, depth=[depth] * COUNT)
    data = HuggingFace(path=path, annotation="depth", kind="depth", scale=1000.0)
    assert data.load("train", 0).annotations["depth"].tolist() == [[0.0, 1.5, 0.0]]


def test_images_of_more_than_eight_bits_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = Image.fromarray(np.full((24, 32), 40000, np.uint16))
    path = stored(tmp_path, monkeypatch, image=[deep] * COUNT, label=rows()["label"])
    with pytest.raises(InputError, match=r"train-\d+: expected an 8-bit image, found mode I;16; convert it to 8 bits"):
        HuggingFace(path=path, annotation="label", kind="classes").load("train", 0)
