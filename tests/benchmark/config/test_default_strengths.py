"""The strengths of the configuration are those that the published records of tuning chose."""

from pathlib import Path

import pytest

from benchmark.config import compose, default_strengths, strength
from leaderboards import store, tuning
from leaderboards.tuning import TuningRecord
from methods.base import methods
from tasks.base import tasks

BOARDS = Path(__file__).parents[3] / "leaderboards"
QUICK, STANDARD = (BOARDS / name / "tuning" for name in ("starting_speed", "published"))
RECORDS = [*tuning.read_folder(QUICK), *tuning.read_folder(STANDARD)]
STRENGTHS = [record for record in RECORDS if record.parameter == "strength"]


def test_they_agree_with_the_evidence() -> None:
    wanted = default_strengths.texts(RECORDS)
    folder = default_strengths.FOLDER
    files = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.yaml")}
    assert files == wanted, "python -m benchmark.config.default_strengths leaderboards/*/tuning"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: f"{record.task}-{record.method}")
def test_the_evidence_is_alike_for_all_and_names_what_exists(record: TuningRecord) -> None:
    folder = QUICK if record.protocol == "quick" else STANDARD
    assert tuning.find(folder, record.task, record.dataset, record.method) == record
    assert record.task in tasks
    assert record.method in methods
    assert record.chosen in [trial.value for trial in record.trials]
    alike = [each for each in STRENGTHS if each.protocol == record.protocol]
    if record in STRENGTHS:
        assert (record.space, record.seed) == (alike[0].space, alike[0].seed)
    else:
        assert not record.at_the_edge
        assert len(record.space["lr"]) >= 5


def test_the_runs_of_the_boards_took_them_and_say_so() -> None:
    runs = store.read([QUICK.parent])[0]
    taken = {(run.task.name, run.method.name): run for run in runs if run.protocol.tuning}
    assert len(taken) == len(STRENGTHS)
    for (task, method), run in taken.items():
        choices = default_strengths.read("quick", "scenes")[task]
        assert run.method.options["strength"] == choices.methods[method].strength
        assert run.protocol.tuning == choices.tuning


def test_a_configuration_takes_them_unless_told_otherwise() -> None:
    config = compose.load(["task=seg", "method=[none,mgd,pixel]", "methods.pixel.strength=2"])
    assert config.methods["mgd"]["strength"] == 9.0
    assert strength.spent(config, "mgd") == default_strengths.read("quick", "scenes")["seg"].tuning
    assert strength.spent(config, "pixel") is None, "somebody's own strength"
    assert strength.spent(config, "none") is None


def test_a_dataset_that_nothing_was_tuned_for_has_the_methods_own_weights() -> None:
    config = compose.load(["task=seg", "data=camvid", "method=mgd"])
    assert config.methods["mgd"]["strength"] == 1.0
    assert strength.spent(config, "mgd") is None


def test_methods_that_were_not_tuned_alike_are_refused() -> None:
    longer = STRENGTHS[0].model_copy(update={"steps": 9000, "method": "other"})
    with pytest.raises(ValueError, match=f"{longer.task} on scenes: methods were tuned with different means"):
        default_strengths.texts([STRENGTHS[0], longer])


def test_the_controls_rate_stands_beside_the_strengths_of_its_protocol() -> None:
    update = {"method": "none", "parameter": "lr", "chosen": 0.008, "protocol": "standard"}
    rate = STRENGTHS[0].model_copy(update=update)
    text = default_strengths.texts([*STRENGTHS, rate])["standard/scenes.yaml"]
    assert f"{rate.task}:\n  control:\n    lr: 0.008\n" in text
    assert "methods" not in text
