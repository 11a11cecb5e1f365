from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmark.commands.tune import strengths, tune
from benchmark.config import compose
from benchmark.training.assemble import strengthen
from leaderboards import store, tuning
from leaderboards.errors import RecordError
from leaderboards.tuning import TuningRecord
from methods.base import SUPERVISED, methods
from tasks.base import tasks
from tasks.errors import InputError
from tests.support import TINY, tiny_run


def tuned(home: Path, *words: str, trials: int = 3) -> tuple[int, str]:
    said = io.StringIO()
    code = tune([*TINY, f"home={home}", *words], trials, 4.0, Console(file=said, width=400))
    return code, said.getvalue()


@given(st.integers(0, 5).map(lambda half: 2 * half + 1), st.floats(1.5, 100))
def test_strengths_are_symmetric_about_the_methods_own_weights(trials: int, span: float) -> None:
    found = strengths(trials, span)
    assert len(found) == trials
    assert found[trials // 2] == 1.0
    for low, high in zip(found, reversed(found), strict=True):
        assert low * high == pytest.approx(1.0, rel=1e-4)
    assert found == sorted(set(found))


@pytest.mark.parametrize(("trials", "span"), [(2, 4.0), (0, 4.0), (-1, 4.0), (3, 1.0)])
def test_spaces_without_the_methods_own_weights_are_refused(trials: int, span: float) -> None:
    with pytest.raises(InputError, match="expected"):
        strengths(trials, span)


def test_every_method_is_tried_alike_and_the_best_is_chosen(home: Path) -> None:
    code, said = tuned(home, "method=[none,pixel,cwd]", "data.train=16")
    assert code == 0
    for name in ("pixel", "cwd"):
        record = tuning.find([home / "tuning"], "seg", "scenes", name)
        assert record is not None
        assert [trial.strength for trial in record.trials] == [0.25, 1.0, 4.0]
        best = max(record.trials, key=lambda trial: trial.score or 0.0)
        assert record.chosen == best.strength
        assert record.at_the_edge == (best.strength != 1.0)
        assert f"methods.{name}.strength={record.chosen:g}" in said
        assert record.split == "train: 1/4 of it, held out, 4 images"
    runs = store.read([home / "tuning" / "records"])[0]
    assert len(runs) == 6
    assert all(run.dataset.n_train == 12 and run.dataset.options["tuning_split"] == "1/4" for run in runs)
    assert "already finished" in tuned(home, "method=[none,pixel,cwd]", "data.train=16")[1]


def test_a_run_takes_the_tuned_strength_and_says_so(home: Path) -> None:
    tuned(home, "method=cwd", trials=1)
    path = home / "tuning" / "seg-scenes-cwd.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chosen": 2.5}))
    (record,) = tiny_run(home, "method=cwd", f"tuning={home / 'tuning'}")
    assert record.method.options["strength"] == 2.5
    assert record.method.weights == {"supervised": 1.0, "channel": 7.5}
    assert record.protocol.tuning is not None
    assert record.protocol.tuning.n_trials == 1
    (own,) = tiny_run(home, "method=cwd", f"tuning={home / 'tuning'}", "methods.cwd.strength=2")
    assert own.method.weights["channel"] == 6.0
    assert own.protocol.tuning is None
    assert own.entry_id != record.entry_id


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
        tuned(tmp_path, "method=none")
    (tmp_path / "seg-scenes-cwd.json").write_text('{"task": "seg"}')
    with pytest.raises(RecordError, match=r"seg-scenes-cwd\.json: dataset: Field required"):
        compose.load(["method=cwd", f"tuning={tmp_path}"])


@pytest.mark.parametrize("path", sorted(tuning.PUBLISHED.glob("*.json")), ids=lambda path: path.stem)
def test_published_tuning_is_alike_for_all_and_names_what_exists(path: Path) -> None:
    record = TuningRecord.model_validate_json(path.read_bytes(), strict=True)
    assert path.stem == f"{record.task}-{record.dataset}-{record.method}"
    assert record.task in tasks
    assert record.method in methods
    assert record.chosen in [trial.strength for trial in record.trials]
    first = TuningRecord.model_validate_json(min(tuning.PUBLISHED.glob("*.json")).read_bytes(), strict=True)
    assert record.space == first.space
    assert record.seed == first.seed
