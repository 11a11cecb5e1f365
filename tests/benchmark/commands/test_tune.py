from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmark.commands import tune as module
from benchmark.commands.tune import WIDER, Tried, choose, grid, tune, wider
from benchmark.config import compose
from benchmark.config.schema import Config
from benchmark.run import Run
from benchmark.training.assemble import strengthen
from benchmark.training.interrupt import Stop
from leaderboards import store, tuning
from leaderboards.errors import RecordError
from leaderboards.record import Record
from methods.base import SUPERVISED
from tasks.errors import InputError
from tests.leaderboards.factory import record
from tests.support import TINY, tiny_run


def tuned(home: Path, *words: str, trials: int = 3, seeds: int = 1) -> tuple[int, str]:
    said = io.StringIO()
    code = tune([*TINY, f"home={home}", *words], trials, 4.0, seeds, Console(file=said, width=400))
    return code, said.getvalue()


@given(st.integers(0, 5).map(lambda half: 2 * half + 1), st.floats(1.5, 100), st.sampled_from([1.0, 0.002]))
def test_values_are_symmetric_about_the_own_one(trials: int, span: float, own: float) -> None:
    found = grid(own, trials, span)
    assert len(found) == trials
    assert found[trials // 2] == own
    for low, high in zip(found, reversed(found), strict=True):
        assert low * high == pytest.approx(own * own, rel=1e-4)
    assert found == sorted(set(found))


@pytest.mark.parametrize(("trials", "span"), [(2, 4.0), (0, 4.0), (-1, 4.0), (3, 1.0)])
def test_spaces_without_the_own_value_are_refused(trials: int, span: float) -> None:
    with pytest.raises(InputError, match="expected"):
        grid(1.0, trials, span)


def test_a_grid_goes_on_in_its_own_steps() -> None:
    assert wider([0.25, 1.0, 4.0], upwards=True) == 16.0
    assert wider([0.25, 1.0, 4.0], upwards=False) == 0.0625


def tried(value: float, *scores: float) -> Tried:
    return Tried(value, tuple(record(seed=seed, score=score) for seed, score in enumerate(scores)))


def test_of_the_values_as_good_as_the_best_the_nearest_to_the_own_one_is_chosen() -> None:
    flat = [tried(0.25, 0.30, 0.32), tried(1.0, 0.40, 0.41), tried(4.0, 0.39, 0.45)]
    assert choose(flat, 1.0) == 1.0, "within a standard error of 4"
    assert choose([*flat, tried(16.0, 0.60, 0.61)], 1.0) == 16.0
    assert choose([tried(1.0, 0.40), tried(4.0, 0.41)], 1.0) == 4.0, "one seed has no error"
    failed = Tried(4.0, (record(score=0.9), record(score=None, status="failed", reason="x")))
    assert choose([tried(1.0, 0.4, 0.4), failed], 1.0) == 1.0
    assert choose([failed], 1.0) is None


class Untrained(Run):
    """A run whose scores are the better, the nearer a method's strength, or the control's rate, is to the best one."""

    best = {"pixel": 1.0, "cwd": 16.0, "none": 0.008}

    def __init__(self, config: Config, console: Console) -> None:
        self.config, self.stop = config, Stop()

    def execute(self) -> list[Record]:
        return [self.scored(name) for name in self.config.methods]

    def scored(self, name: str) -> Record:
        value = self.config.recipe.lr if name == "none" else self.config.methods[name]["strength"]
        made = record(name, self.config.seed, score=1 / (1 + abs(math.log(value / self.best[name]))))
        held_out = {"options": {"tuning_split": self.config.data["tuning_split"]}, "manifest_sha256": "0" * 64}
        return made.model_copy(update={"dataset": made.dataset.model_copy(update=held_out)})


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be trained."""
    monkeypatch.setattr(module, "Run", Untrained)


@pytest.mark.usefixtures("untrained")
def test_every_method_is_tried_alike_and_the_best_is_chosen(tmp_path: Path) -> None:
    code, said = tuned(tmp_path, "method=[none,pixel,cwd]")
    assert code == 0
    for name in ("pixel", "cwd"):
        found = tuning.find(tmp_path / "tuning", "seg", "scenes", name)
        assert found is not None
        assert found.chosen == Untrained.best[name]
        assert f"methods.{name}.strength={found.chosen:g}" in said
        # cwd's choice lies at the edge of the first three values, then at that of four: both get two more.
        assert [trial.value for trial in found.trials] == [0.25, 1.0, 4.0, 16.0, 64.0]
        assert not found.at_the_edge


@pytest.mark.usefixtures("untrained")
def test_a_space_grows_a_few_times_at_most_and_the_edge_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Untrained, "best", {"pixel": 1e-9})
    assert "at the edge of what was tried" in tuned(tmp_path, "method=pixel")[1]
    found = tuning.find(tmp_path / "tuning", "seg", "scenes", "pixel")
    assert found is not None
    assert found.at_the_edge
    assert len(found.trials) == 3 + WIDER


def test_trials_are_runs_on_images_held_out_of_the_training_split(home: Path) -> None:
    assert tuned(home, "method=[none,pixel,cwd]", "data.train=16", trials=1)[0] == 0
    found = tuning.find(home / "tuning", "seg", "scenes", "pixel")
    assert found is not None
    assert found.split == "train: 1/4 of it, held out, 4 images"
    runs = store.read([home / "tuning" / "records"])[0]
    assert {run.method.name for run in runs} == {"pixel", "cwd"}
    assert all(run.dataset.n_train == 12 and run.dataset.options["tuning_split"] == "1/4" for run in runs)
    assert "already finished" in tuned(home, "method=[none,pixel,cwd]", "data.train=16", trials=1)[1]


@pytest.mark.usefixtures("untrained")
def test_the_learning_rate_of_the_control_is_tuned_over_seeds_and_runs_say_so(home: Path) -> None:
    code, said = tuned(home, "method=none", seeds=2)
    found = tuning.find(home / "tuning", "seg", "scenes", "none")
    assert code == 0
    assert found is not None
    assert (found.parameter, found.own, found.chosen) == ("lr", 0.002, 0.008)
    assert {trial.seed for trial in found.trials} == {0, 1}
    assert {trial.value for trial in found.trials} == {0.0005, 0.002, 0.008, 0.032}
    assert "recipe.lr=0.008" in said
    words = ("method=none", f"tuning={home / 'tuning'}")
    (own,) = tiny_run(home, *words, "recipe.lr=0.123")
    (taken,) = tiny_run(home, *words, f"recipe.lr={found.chosen}")
    assert own.protocol.tuning is None
    assert taken.protocol.tuning is not None
    assert taken.protocol.tuning.space == found.space
    assert taken.protocol.tuning.budget == "600 steps, seeds 0, 1"


@pytest.mark.usefixtures("untrained")
def test_a_run_takes_the_tuned_strength_and_says_so(home: Path) -> None:
    tuned(home, "method=cwd", trials=1)
    path = home / "tuning" / "seg-scenes-cwd.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chosen": 2.5}))
    (taken,) = tiny_run(home, "method=cwd", f"tuning={home / 'tuning'}")
    assert taken.method.options["strength"] == 2.5
    assert taken.method.weights == {"supervised": 1.0, "channel": 7.5}
    assert taken.protocol.tuning is not None
    assert taken.protocol.tuning.n_trials == 1
    (own,) = tiny_run(home, "method=cwd", f"tuning={home / 'tuning'}", "methods.cwd.strength=2")
    assert own.method.weights["channel"] == 6.0
    assert own.protocol.tuning is None
    assert own.entry_id != taken.entry_id


def test_a_strength_of_one_changes_nothing_and_others_only_the_methods_own_terms() -> None:
    class Terms:
        weights = {SUPERVISED: 0.1, "soft": 0.9, "off": 0.0}

    method = Terms()
    strengthen(method, {"strength": 1.0})  # type: ignore[arg-type]
    assert method.weights == Terms.weights
    strengthen(method, {"strength": 3.0})  # type: ignore[arg-type]
    assert method.weights == {SUPERVISED: 0.1, "soft": pytest.approx(2.7), "off": 0.0}


def test_bad_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"methods\.cwd\.strength=-1"):
        compose.load(["method=cwd", "methods.cwd.strength=-1"])
    with pytest.raises(InputError, match="no such folder"):
        compose.load(["method=cwd", f"tuning={tmp_path / 'nowhere'}"])
    with pytest.raises(InputError, match="nothing to tune"):
        tuned(tmp_path, "method=mixup")
    (tmp_path / "seg-scenes-cwd.json").write_text('{"task": "seg"}')
    with pytest.raises(RecordError, match=r"seg-scenes-cwd\.json: dataset: Field required"):
        compose.load(["method=cwd", f"tuning={tmp_path}"])
