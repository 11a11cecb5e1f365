from pathlib import Path

import torch

from benchmark.training.steplog import StepLog


def test_a_log_keeps_the_steps_before_its_start_where_they_lie(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    path.write_text("0\n1\n2\n3")
    log = StepLog(path, 2)
    assert path.read_text() == "0\n1\n", "killed now, the log still has the steps that the resume state stands on"
    log.add(2, 0.1, {"loss": torch.tensor(1.5)})
    log.close()
    assert path.read_text() == '0\n1\n{"step": 2, "lr": 0.1, "loss": 1.5}\n'


def test_a_new_log_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "new" / "steps.jsonl"
    StepLog(path, 0).close()
    assert path.read_text() == ""
