"""Where images live is chosen by a rule, recorded, and changes nothing of what a run promises."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from benchmark.training import residency
from benchmark.training.residency import decide
from leaderboards.record import Record
from tasks.base import tasks
from tasks.datasets.scenes import Scenes
from tasks.errors import InputError
from tests.benchmark.training.test_resume import Killed, kill_at
from tests.support import SAVING, built_in, mostly_slow, student_bytes, tiny_run

GPU, CPU = torch.device("cuda"), torch.device("cpu")
SCENES = Scenes(size=32, train=4, val=1, test=1)
SEG = tasks["seg"](SCENES.info)


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residency, "memory", lambda device: 4 * 4 * 32 * 32 * 4)  # four images of four bytes a pixel


class Photographs(Scenes):
    """Images that may have any size."""

    name = "photographs"
    uniform = False


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize(
    ("cache", "device", "resident"),
    [
        ("auto", GPU, True),
        ("auto", CPU, False),
        ("device", CPU, True),
        ("disk", GPU, False),
        ("memory", GPU, False),
        ("none", GPU, False),
    ],
)
def test_images_live_on_a_gpu_where_they_fit_and_on_a_cpu_where_that_is_asked_for(
    cache: str, device: torch.device, resident: bool
) -> None:
    assert decide(cache, SEG, SCENES, None, device).resident is resident


def faults() -> list[tuple[object, object, str]]:
    photographs = Photographs(size=32, train=4)
    return [
        (SCENES, 64, "the images take 0.0 GB, more than a quarter of the device's 0.0 GB"),
        (photographs, None, "the images of data=photographs may differ in size, which data.size=.height,width. would"),
        (photographs, 32, "the images of data=photographs may differ in size"),
    ]


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize(("dataset", "size", "fault"), faults())
def test_what_does_not_fit_stays_on_the_host_or_is_an_error_where_it_was_asked_for(
    dataset: Scenes, size: int | None, fault: str
) -> None:
    where = decide("auto", SEG, dataset, size, GPU)
    assert not where.resident
    assert str(where).startswith("host: the images")
    with pytest.raises(InputError, match=f"data.cache=device: {fault}.*; use data.cache=auto"):
        decide("device", SEG, dataset, size, CPU)
    assert decide("auto", SEG, Photographs(size=32, train=4), (32, 32), GPU).resident, "a size for all makes them one"


@pytest.mark.usefixtures("roomy")
def test_crops_of_several_sizes_are_cut_on_the_host() -> None:
    assert str(decide("auto", SEG, SCENES, None, GPU, crops_vary=True)).startswith("host: crop_share cuts crops")


@pytest.mark.parametrize("who", ["", "teacher."])
def test_a_run_that_would_cut_crops_of_several_sizes_on_the_device_is_refused(who: str, home: Path) -> None:
    words = (f"{who}recipe.crop_share=[0.5,1]", f"{who}recipe.batch=1", "data.cache=device")
    with pytest.raises(InputError, match="data.cache=device: crop_share cuts crops of several sizes"):
        tiny_run(home, "method=none", *words)


def resident_run(home: Path, task: str, methods: str, *words: str) -> list[Record]:
    return tiny_run(home, f"task={task}", f"method={methods}", "data.cache=device", *words)


@pytest.mark.parametrize("task", mostly_slow(built_in(tasks), {"det"}))
def test_alone_and_uninterrupted_gives_the_bits_of_a_killed_cohort(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alone,) = resident_run(tmp_path / "alone", task, "mgd")
    shutil.copytree(tmp_path / "alone" / "teachers", tmp_path / "cohort" / "teachers")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 3, 1)
        resident_run(tmp_path / "cohort", task, "[none,mgd]", SAVING)
    _, among = resident_run(tmp_path / "cohort", task, "[none,mgd]")
    assert (among.run_id, among.status, among.scores) == (alone.run_id, "ok", alone.scores)
    assert student_bytes(tmp_path / "cohort", among) == student_bytes(tmp_path / "alone", alone)
    assert alone.task.preprocess["augmented_on"] == "device: data.cache=device, and the images fit"
    (again,) = resident_run(tmp_path / "alone", task, "mgd")
    assert again == alone, "the same command trains nothing"


def test_it_learns_what_the_host_learns_under_another_id(tmp_path: Path) -> None:
    words = ("method=none", "recipe.steps=30", "recipe.batch=4", "data.train=16", "data.test=8")
    (host,) = tiny_run(tmp_path, *words)
    (device,) = tiny_run(tmp_path, *words, "data.cache=device")
    assert host.task.preprocess["augmented_on"] == "host: data.cache=auto, and device=cpu"
    assert host.run_id != device.run_id
    assert host.track_id != device.track_id
    losses = []
    for record in (host, device):
        lines = (tmp_path / record.artifacts.steps).read_text().splitlines()
        losses.append([json.loads(line)["loss"] for line in lines])
    torch.testing.assert_close(losses[1][0], losses[0][0], rtol=0.01, atol=0)
    ends = [sum(each[-5:]) / 5 for each in losses]
    assert ends[0] < 0.8 * losses[0][0]
    torch.testing.assert_close(ends[1], ends[0], rtol=0.1, atol=0)
