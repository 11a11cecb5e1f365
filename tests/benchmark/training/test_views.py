"""Views of an image: windows cover it, mirrors are mirrored back, counts are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from benchmark.config import compose
from benchmark.config.schema import EvaluationConfig
from benchmark.runs.finished_run import open_stored
from benchmark.training.views import look
from tasks.base import Batch, Prediction
from tasks.errors import InputError
from tasks.outputs.binary import Binary
from tasks.outputs.density import Density
from tasks.outputs.detection import Detection
from tests.support import tiny_run

FABRIC = Fabric(accelerator="cpu", devices=1)
IMAGES = torch.rand(2, 3, 24, 40, generator=torch.Generator().manual_seed(0))


def seen(maps: torch.Tensor, size: tuple[int, int]) -> Prediction:
    return Prediction((maps,), {}, {}, (), maps.flatten(1), size)


class Pointwise:
    """Predicts of every pixel what it is, and keeps the sizes that it saw."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, ...]] = []

    def __call__(self, image: torch.Tensor) -> Prediction:
        self.sizes.append(tuple(image.shape[-2:]))
        return seen(image.mean(dim=1, keepdim=True), (image.shape[-2], image.shape[-1]))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(("window", "overlap"), [(None, 0.0), ([16, 16], 0.0), ([16, 16], 0.5), ([100, 7], 1 / 3)])
def test_views_of_what_depends_on_single_pixels_change_nothing(
    window: list[int] | None, overlap: float, flip: bool
) -> None:
    how = EvaluationConfig(window=window, overlap=overlap, flip=flip)
    found = look(Pointwise(), Batch.whole("test", IMAGES), Binary(), how, FABRIC)
    torch.testing.assert_close(found.maps[0], IMAGES.mean(dim=1, keepdim=True))
    assert found.size == (24, 40)


def test_the_last_windows_are_moved_inwards() -> None:
    network = Pointwise()
    how = EvaluationConfig(window=[16, 16], overlap=0.25)
    look(network, Batch.whole("test", IMAGES), Binary(), how, FABRIC)
    assert network.sizes == [(16, 16)] * 2 * 3


def test_a_mirrored_view_is_mirrored_back() -> None:
    def left(image: torch.Tensor) -> Prediction:
        maps = torch.zeros(len(image), 1, *image.shape[-2:])
        maps[..., 0] = 1
        return seen(maps, (image.shape[-2], image.shape[-1]))

    found = look(left, Batch.whole("test", IMAGES), Binary(), EvaluationConfig(flip=True), FABRIC)
    assert found.maps[0].sum(dim=(1, 2)).tolist() == [[12.0, *[0.0] * 38, 12.0]] * 2


@pytest.mark.parametrize("overlap", [0.0, 0.5])
def test_counts_of_windows_add_up(overlap: float) -> None:
    def even(image: torch.Tensor) -> Prediction:
        rows, columns = -(-image.shape[-2] // 8), -(-image.shape[-1] // 8)
        return seen(torch.ones(len(image), 1, rows, columns), (image.shape[-2], image.shape[-1]))

    output = Density()
    how = EvaluationConfig(window=[16, 16], overlap=overlap)
    found = look(even, Batch.whole("test", IMAGES), output, how, FABRIC)
    assert output.pixels(found).sum(dim=(1, 2)).tolist() == pytest.approx([24 * 40 / 64] * 2)


def test_boxes_of_views_are_not_joined() -> None:
    with pytest.raises(InputError, match=r"evaluation\.window and evaluation\.flip join maps of numbers"):
        look(Pointwise(), Batch.whole("test", IMAGES), Detection(3, (8,)), EvaluationConfig(flip=True), FABRIC)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("evaluation.window=[512]", r"evaluation\.window=\[512\]: expected \[height,width\]"),
        ("evaluation.overlap=1", r"evaluation\.overlap=1\.0: expected a number at least 0 and below 1"),
        ("recipe.crop_share=[0.5,2]", r"recipe\.crop_share=\[0\.5, 2\.0\]: expected a range above 0 and up to 1"),
        ("teacher.recipe.crop_share=[0.5,1]", r"set teacher\.recipe\.batch=1, found 8"),
        ("evaluation.batch=0", r"evaluation\.batch=0: expected a number at least 1"),
    ],
)
def test_views_and_crops_that_there_cannot_be(word: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        compose.load([word])


def test_a_record_says_how_images_were_looked_at_so_that_they_are_again(tmp_path: Path) -> None:
    (mirrored,) = tiny_run(tmp_path, "task=seg", "method=none", "evaluation.flip=true")
    assert mirrored.task.evaluation["flip"] is True
    assert mirrored.provenance.config["evaluation"]["flip"] is True
    stored = open_stored(tmp_path / "records" / f"{mirrored.run_id}.json")
    assert stored.config([]).evaluation == EvaluationConfig(flip=True)
