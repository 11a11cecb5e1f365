"""Every experiment is composed, and executed in miniature on a set that the test lays out as its authors do."""

from __future__ import annotations

import io
import math
import re
import runpy
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest
from rich.console import Console

import benchmark
from benchmark.config import compose
from benchmark.config.schema import Config
from benchmark.run import Run
from benchmark.training.device import build_fabric
from benchmark.training.problem import Problem
from tests.tasks.datasets import layouts

ROOT = Path(__file__).parents[3]
PAPERS = ROOT / "docs" / "experiments.md"
EXPERIMENTS = sorted(path.stem for path in (Path(benchmark.__file__).parent / "conf" / "experiment").glob("*.yaml"))
FAMILIES = defaultdict(list)  # of experiments that differ by the number at the end of their names
for experiment in EXPERIMENTS:
    FAMILIES[re.sub(r"_\d+$", "", experiment)].append(experiment)
MINIATURE = (
    *("data.size=64", "recipe.steps=2", "teacher.recipe.steps=2", "student.weights=null"),
    *("workers=0", "device=cpu", "save_every=60"),
)


@cache
def composed(experiment: str) -> Config:
    """Compose an experiment as it is; not to be changed."""
    return compose.load([f"experiment={experiment}"])


def layout(config: Config) -> Callable[[Path], object] | None:
    """Say who writes the set of an experiment; None for one that is rendered."""
    data = config.data
    writers: dict[str, Callable[[Path], object]] = {
        "saliency": layouts.duts,
        "voc": partial(layouts.voc, more="aug"),
        "shanghaitech": partial(layouts.shanghaitech, part=data.get("part", "A")),
    }
    named: Callable[[Path], object] | None = getattr(layouts, data["name"], None)
    return writers.get(data["name"], named)


def shrunk(experiment: str, home: Path) -> list[str]:
    """Give the words of an experiment in miniature; what is not said here is as in its file."""
    config = composed(experiment)
    words = [f"experiment={experiment}", *MINIATURE, f"home={home / 'runs'}"]
    words += [f"teacher.networks.{name}.weights=null" for name in config.teacher.networks]
    for prefix, recipe in (("", config.recipe), ("teacher.", config.teacher.recipe)):
        words.append(f"{prefix}recipe.batch={min(2, recipe.batch)}")
        if recipe.crop_share is None:
            words.append(f"{prefix}recipe.crop=[64,64]")
    if config.data["name"] == "nyuv2":
        words.append("task.crop=none")  # the official one is of images of 480 x 640
    if config.evaluation.window is not None:
        words.append("evaluation.window=[48,48]")
    if (write := layout(config)) is not None:
        write(home / "data")
        words.append(f"data.root={home / 'data'}")
    return words


@pytest.mark.slow  # networks of full width
@pytest.mark.parametrize("experiment", [family[0] for family in FAMILIES.values()])
def test_an_experiment_runs_in_miniature(experiment: str, tmp_path: Path) -> None:
    config = compose.load(shrunk(experiment, tmp_path))
    records = Run(config, Console(file=io.StringIO())).execute()
    assert {record.method.name for record in records} == {"none", *config.methods}
    for record in records:
        assert record.status == "ok", record.status_reason
        assert math.isfinite(record.scores.metrics[record.scores.primary_metric].value)
        assert record.protocol.recipe["optimizer"] == config.recipe.optimizer
        assert record.training.steps == 2


@pytest.mark.parametrize("family", [family for family in FAMILIES.values() if len(family) > 1], ids=lambda all: all[0])
def test_experiments_of_a_family_differ_by_labels_and_steps_alone(family: list[str]) -> None:
    def rest(config: Config) -> Config:
        data = {key: value for key, value in config.data.items() if key != "labeled"}
        teacher = replace(config.teacher, recipe=replace(config.teacher.recipe, steps=0))
        return replace(config, data=data, recipe=replace(config.recipe, steps=0), teacher=teacher)

    first, *others = (rest(composed(experiment)) for experiment in family)
    assert all(other == first for other in others)
    assert len({composed(experiment).data["labeled"] for experiment in family}) == len(family)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_is_composed_and_told(experiment: str) -> None:
    config = composed(experiment)
    assert config.methods
    assert config.recipe.steps > 0
    assert f"experiment={experiment}`" in PAPERS.read_text(encoding="utf-8"), f"add {experiment} to {PAPERS.name}"


@pytest.mark.parametrize("experiment", ["coupled_avs1k", "skt_shanghaitech_b"])
def test_what_an_experiment_costs_is_what_the_command_counts(experiment: str) -> None:
    line = runpy.run_path(str(ROOT / "perf" / "experiments.py"))["row"](experiment)
    assert line in PAPERS.read_text(encoding="utf-8")


@pytest.mark.slow  # four trainings
def test_every_training_of_an_experiment_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "perf" / "experiments.py"))["measure"]("smoke", 3, ["device=cpu", "workers=0"])
    config = compose.load(["experiment=smoke"])
    trained = [*(f"teacher {role}" for role in config.teacher.networks), "none", *config.methods]
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert [what for _, what, *_ in lines] == trained
    assert all(float(milliseconds) > 0 for *_, milliseconds, _, _ in lines)


@pytest.mark.parametrize(
    ("experiment", "steps"),
    [
        *((f"mgd_voc_{part}", 34 * (rest // 8)) for part, rest in ((16, 9920), (8, 9259), (4, 7936))),
        *((f"mgd_cityscapes_{part}", 137 * (rest // 16)) for part, rest in ((16, 2789), (8, 2603), (4, 2231))),
        ("skt_shanghaitech_a", 1000 * 4 * 300),
        ("skt_shanghaitech_b", 1000 * 4 * 400),
        ("skt_ucf_qnrf", 1000 * 1201),
        ("structured_coco", 12 * 117266 // 16),
        ("structured_nyuv2", 50 * (24231 // 4)),
    ],
)
def test_epochs_of_papers_are_steps_here(experiment: str, steps: int) -> None:
    assert composed(experiment).recipe.steps == pytest.approx(steps, abs=1)


def test_the_image_level_term_of_mgd_weighs_as_much_as_on_the_authors_cards() -> None:
    for experiment, classes, weight in (("mgd_voc_8", 21, 0.002), ("mgd_cityscapes_8", 19, 0.001)):
        config = composed(experiment)
        here = config.methods["mgd"]["image"] * config.recipe.batch * classes
        assert here == pytest.approx(weight * 2 * classes)


@pytest.mark.parametrize(
    ("experiment", "line"),
    [
        ("mgd_voc_8", "2007_000001"),  # CPS
        ("mgd_voc_8", "JPEGImages/2007_000001.jpg SegmentationClass/2007_000001.png"),  # UniMatch
        ("mgd_cityscapes_8", "images/train/ulm_000001_000019.png\tsegmentation/train/ulm_000001_000019.png"),  # CPS
    ],
)
def test_published_partitions_are_read_as_they_are(experiment: str, line: str, tmp_path: Path) -> None:
    words = shrunk(experiment, tmp_path)
    (tmp_path / "labeled.txt").write_text(line)  # without a final newline, as some of theirs
    config = compose.load([*words, f"data.labeled={tmp_path / 'labeled.txt'}"])
    partition = Problem(config, build_fabric("cpu", "32")).partition
    assert (partition.name, len(partition.labeled)) == ("list:labeled.txt", 1)
    assert len(partition.unlabeled) == {"mgd_voc_8": 9, "mgd_cityscapes_8": 8}[experiment]
