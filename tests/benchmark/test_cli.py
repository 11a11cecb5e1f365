"""What a user types, and what bad input answers."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from benchmark.cli import app, guarded
from benchmark.run import Run
from benchmark.runs.teachers import TeacherError
from benchmark.training.interrupt import Interrupted
from tests.support import TINY


def command(*words: str) -> int:
    """Run the command line in this process and return its exit code."""
    return guarded(lambda: app(list(words), standalone_mode=False))


def test_help_needs_no_torch() -> None:
    code = "import sys; import benchmark.cli; assert 'torch' not in sys.modules and 'hydra' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "task=sge"], "unknown task 'sge'; did you mean 'seg'"),
        (["run", "method=mdg"], "unknown method 'mdg'; did you mean 'mgd'"),
        (["run", "methods.mgd.regoin=1"], "unknown key 'methods.mgd.regoin'; did you mean 'methods.mgd.region'"),
        (["run", "task.loss=cee"], "task.loss=cee: expected ce or ohem"),
        (["run", "data=camvid"], "data.root"),
        (["run", "data=camvid", "data.root=/nowhere/at/all"], "/nowhere/at/all"),
        (["run", "device=cuda:99"], "device=cuda:99: there is none on this machine"),
        (["run", "precision=8"], "precision=8: expected 32 or bf16"),
        (["run", "recipe.optimizer=sdg", "control=false", "method=none"], "recipe.optimizer=sdg: expected adamw"),
        (["run", "student.decoder=fnp", "method=none", *TINY[:4]], "unknown decoder 'fnp'; did you mean 'fpn'"),
        (["run", "-m", "seed=0,x"], "seed: expected a whole number, found 'x'"),
        (["run", "-m", "recipe.lr=interval(0,1)"], "recipe.lr=interval(0,1)': expected a list or a range"),
        (["list", "method"], "cannot list 'method'; did you mean 'methods'"),
        (["leaderboard", "/nowhere/at/all"], "/nowhere/at/all: no such file or folder"),
        (["leaderboard", "validate", "/nowhere/at/all"], "/nowhere/at/all: no such file or folder"),
        (["leaderboard", "verify", "data.root=x"], "no record given"),
        (["export", "/nowhere/at/all"], "/nowhere/at/all: cannot be read"),
        (["export", "x", "--format", "onxn"], "--format onxn: expected torch-export or onnx; did you mean 'onnx'"),
        (["leaderbord"], "No such command 'leaderbord'"),
        (["run", "--home", "x"], "No such option"),
    ],
)
def test_bad_input_is_one_clear_message_and_exit_code_2(
    words: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = [f"home={tmp_path}", *TINY[4:]] if words[0] == "run" and "-m" not in words else []
    assert command(*words, *[word for word in home if word.partition("=")[0] not in " ".join(words)]) == 2
    message = capsys.readouterr().err
    assert expected in message
    assert "Traceback" not in message


def test_an_unwritable_home_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert command("run", f"home={tmp_path / 'file' / 'home'}") == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "cannot be written ({}); make room"),
        (errno.EROFS, "cannot be written ({}); make room"),
        (errno.EACCES, "no permission ({}); give it, or choose another file or home"),
    ],
)
def test_a_file_that_cannot_be_had_is_named(number: int, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    def write() -> None:
        raise OSError(number, os.strerror(number), "runs/student.safetensors")

    assert guarded(write) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: runs/student.safetensors: {expected.format(os.strerror(number))}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (Interrupted("stopped after step 3 of 4", signal.SIGTERM), 143, "stopped after step 3 of 4; the same command"),
        (TeacherError("teacher deep: diverged"), 1, "teacher deep: diverged"),
    ],
)
def test_what_ends_a_run_ends_any_command_in_one_line(
    error: Exception,
    code: int,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Run, "execute", Mock(side_effect=error))
    for words in (["run"], ["tune", "method=none"]):
        assert command(*words, f"home={tmp_path}", *TINY) == code
        said = capsys.readouterr()
        assert expected in said.out + said.err


def test_a_terminal_that_knows_no_arrows_is_told_all_the_same() -> None:
    code = "from benchmark.cli import app, main; app.command()(lambda: print('\u2193')); main()"
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    found = subprocess.run([sys.executable, "-c", code, "<lambda>"], env=ascii_only, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "\\u2193\n"), found.stderr


def test_other_faults_of_the_system_are_not_hidden() -> None:
    with pytest.raises(FileNotFoundError):
        guarded(lambda: Path("no/such/file").read_text())


def _camvid(root: Path) -> Path:
    generator = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for folder in (split, f"{split}annot"):
            (root / folder).mkdir(parents=True)
        for name in ("a", "b"):
            Image.fromarray(generator.integers(0, 255, (64, 96, 3), dtype=np.uint8)).save(root / split / f"{name}.png")
            Image.fromarray(generator.integers(0, 12, (64, 96), dtype=np.uint8)).save(
                root / f"{split}annot" / f"{name}.png"
            )
        (root / f"{split}.txt").write_text("\n".join(f"{split}/{n}.png {split}annot/{n}.png" for n in "ab"))
    return root


CAMVID = ("run", "data=camvid", "method=none", *(word for word in TINY if not word.startswith("data.")))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (lambda root: (root / "train/a.png").write_bytes((root / "train/a.png").read_bytes()[:200]), "train/a.png"),
        (
            lambda root: Image.fromarray(np.zeros((32, 96), np.uint8)).save(root / "trainannot/a.png"),
            "trainannot/a.png",
        ),
        (lambda root: Image.fromarray(np.full((64, 96), 77, np.uint8)).save(root / "trainannot/a.png"), "77"),
        (lambda root: (root / "trainannot/a.png").unlink(), "a.png"),
    ],
    ids=["truncated image", "mask of another size", "label out of range", "missing mask"],
)
def test_bad_data_is_named_recorded_and_loses_nothing(
    fault: Callable[[Path], object],
    expected: str,
    finished_home: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root, home = _camvid(tmp_path / "CamVid"), tmp_path / "runs"
    shutil.copytree(finished_home("seg"), home)
    before = sorted(path.name for path in (home / "records").glob("*.json"))
    capsys.readouterr()
    fault(root)
    assert command(*CAMVID, f"data.root={root}", f"home={home}", "seed=1") == 2
    assert expected in capsys.readouterr().err
    assert set(before) <= {path.name for path in (home / "records").glob("*.json")}
    assert command("data", "verify", "data=camvid", f"data.root={root}") == 2


def test_a_corrupt_record_among_good_ones_is_named(
    finished_home: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "runs"
    shutil.copytree(finished_home("seg"), home)
    (home / "records" / "broken.json").write_text('{"run_id": 3')
    assert command("leaderboard", str(home)) == 1
    printed = capsys.readouterr().out
    assert "broken.json" in printed
    assert "1 records" in printed
    assert list((home / "leaderboards").glob("*.md"))


def test_leaderboard_alone_writes_and_its_commands_can_be_named(
    finished_home: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, boards = finished_home("seg"), [tmp_path / "short", tmp_path / "long"]
    assert command("leaderboard", str(home), "--out", str(boards[0])) == 0
    assert command("leaderboard", "write", "--out", str(boards[1]), str(home)) == 0
    assert [len(list(each.glob("leaderboard.*"))) for each in boards] == [4, 4]
    assert (boards[0] / "leaderboard.md").read_bytes() == (boards[1] / "leaderboard.md").read_bytes()
    assert command("leaderboard", "--help") == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("write", "validate", "verify", "is short for"))


def test_publish_says_under_which_heading(
    finished_home: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("leaderboard", "publish", str(finished_home("seg")), "--to", str(tmp_path)) == 0
    assert capsys.readouterr().out == f"1 records in {tmp_path}\n"
    (tmp_path / "about.json").write_text('{"title": "Starting speed"}')
    assert command("leaderboard", "publish", str(finished_home("seg")), "--to", str(tmp_path)) == 0
    assert "their boards are headed: Starting speed\n" in capsys.readouterr().out


def test_validate_names_each_fault(
    finished_home: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "runs"
    shutil.copytree(finished_home("seg"), home)
    assert command("leaderboard", "validate", str(home)) == 0
    assert "1 records, 0 faults" in capsys.readouterr().out
    (file,) = (home / "records").glob("*.json")
    (student,) = home.glob("runs/*/student.safetensors")
    student.write_bytes(b"another student")
    whole = json.loads(file.read_text())
    whole["seed"], whole["provenance"]["config"]["data"]["manifest"] = 1, "0" * 64
    file.write_text(json.dumps(whole))
    (home / "records" / "broken.json").write_text('{"run_id": NaN}')
    assert command("leaderboard", "validate", str(home)) == 1
    printed = capsys.readouterr().out
    assert "broken.json: unreadable: NaN is not JSON" in printed
    assert f"{file}: invalid: config_sha256 is not the hash of the configuration" in printed
    assert "student_sha256 is not the hash of runs/" in printed
    assert "the configuration says seed is 0, the record 1" in printed
    assert f"the configuration says data.manifest is {'0' * 64}, the record" in printed
    assert "1 records, 5 faults" in printed


def test_preview_and_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sheet.png"
    assert command("data", "preview", "data=scenes", "data.size=64", "--out", str(out)) == 0
    with Image.open(out) as sheet:
        assert sheet.width > 6 * 64
    assert command("data", "verify", "data=scenes", "data.train=4", "data.val=2", "data.test=2") == 0
    assert "4" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["tasks", "methods", "data", "teachers"])
def test_lists(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("list", what) == 0
    assert what in capsys.readouterr().out
