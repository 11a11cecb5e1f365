"""What ``benchmark new`` writes works at once."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmark.config import compose
from tests.benchmark.test_cli import command
from tests.support import tiny_run

pytestmark = pytest.mark.usefixtures("registries")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that commands are given in."""
    empty = tmp_path / "here"
    empty.mkdir()
    monkeypatch.chdir(empty)
    return empty


def test_a_method_runs_and_keeps_its_laws(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("new", "method", "soft_kd") == 0
    printed = capsys.readouterr().out
    assert "wrote    soft_kd.py\nwrote    test_soft_kd.py\nnext:\n" in printed
    assert "  benchmark run method=./soft_kd.py:SoftKd task=seg experiment=smoke\n" in printed
    (record,) = tiny_run(home, "method=./soft_kd.py:SoftKd", "task=seg")
    assert (record.status, record.method.name) == ("ok", "soft_kd")
    assert record.method.weights == {"supervised": 1.0, "squared": 1.0}
    monkeypatch.syspath_prepend(folder)
    laws = importlib.import_module("test_soft_kd")
    laws.test_distance()
    laws.test_positions_that_do_not_count()


def test_its_next_steps_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("new", "method", "soft_kd") == 0
    printed = capsys.readouterr().out
    commands = [line.split()[1:] for line in printed.splitlines() if line.startswith("  benchmark ")]
    assert len(commands) == 3
    for words in commands:
        if words[0] == "run":
            assert "soft_kd" in compose.load(words[1:]).methods
        else:
            assert command(*words) == 0


def test_a_method_has_little_ceremony(folder: Path) -> None:
    assert command("new", "method", "soft_kd") == 0
    source = (folder / "soft_kd.py").read_text()
    tree = ast.parse(source)
    loss = {"squared_difference", "forward"}
    free: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            free |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
        if isinstance(node, ast.FunctionDef) and node.name in loss:
            free |= set(range(node.lineno, node.end_lineno + 1))
    rest = [line for number, line in enumerate(source.splitlines(), 1) if line.strip() and number not in free]
    assert len(rest) + 1 <= 15  # and the signature of forward


def test_a_task_runs_and_keeps_its_laws(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("new", "task", "zone") == 0
    (record,) = tiny_run(tmp_path / "runs", "task=./zone.py:Zone", "method=pixel", "task.near=4")
    assert (record.status, record.task.name, record.task.options) == ("ok", "zone", {"near": 4.0})
    assert 0 <= record.scores.metrics["iou"].value <= 1
    monkeypatch.syspath_prepend(folder)
    laws = importlib.import_module("test_zone")
    laws.test_truth_and_target()
    laws.test_score()


@pytest.mark.parametrize("kind", ["method", "task"])
def test_a_package_is_complete(kind: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("new", kind, "my_idea", "--package") == 0
    assert "  pip install -e ./my_idea\n" in capsys.readouterr().out
    names = sorted(path.name for path in (folder / "my_idea").iterdir())
    assert names == ["README.md", "my_idea.py", "pyproject.toml", "test_my_idea.py"]
    project = tomllib.loads((folder / "my_idea" / "pyproject.toml").read_text())
    assert project["project"]["name"] == "densedistill-my-idea"
    assert project["project"]["entry-points"] == {f"densedistill.{kind}s": {"my_idea": "my_idea:MyIdea"}}
    assert project["tool"]["setuptools"]["py-modules"] == ["my_idea"]
    assert "$" not in (folder / "my_idea" / "README.md").read_text()


@pytest.mark.slow
def test_a_package_installs(folder: Path, tmp_path: Path) -> None:
    assert command("new", "method", "my_idea", "--package") == 0
    quiet = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    pip = [sys.executable, "-m", "pip", "install", *quiet, "--target", str(tmp_path / "site"), "./my_idea"]
    subprocess.run(pip, check=True, cwd=folder)
    code = "from benchmark.cli import main; main()"
    path = {"PYTHONPATH": f"{ROOT}:{tmp_path / 'site'}", "COLUMNS": "200", "PATH": ""}
    words = [sys.executable, "-c", code, "list", "methods", "my_idea"]
    done = subprocess.run(words, env=path, capture_output=True, text=True, check=True)
    assert re.search(r"origin +densedistill-my-idea 0\.1\.0", done.stdout)


@pytest.mark.parametrize("repository", [False, True])
def test_what_is_written_is_clean(repository: bool, folder: Path) -> None:
    if repository:  # there, imports of methods and tasks are sorted as our own
        for package in ("methods", "tasks"):
            (folder / package).symlink_to(ROOT / package)
        (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for kind, name in (("method", "soft_kd"), ("task", "zone")):
        assert command("new", kind, name) == 0
    written = sorted(path.name for path in folder.glob("*.py"))
    assert len(written) == 4
    for line_length in ("88", "120"):
        for words in (["check"], ["format", "--check"]):
            options = [] if repository else ["--isolated"]
            tool = [sys.executable, "-m", "ruff", *words, "--no-cache", *options, "--line-length", line_length]
            done = subprocess.run([*tool, *written], cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["method", "mgd"], "method 'mgd' is taken by densedistill"),
        (["task", "seg"], "task 'seg' is taken by densedistill"),
        (["method", "my-kd"], "'my-kd' cannot be the name of a method: expected lower-case letters"),
        (["method", "MyKD"], "'MyKD' cannot be the name of a method"),
        (["task", "class"], "'class' cannot be the name of a task"),
        (["method", "json"], "'json' is taken: Python has a module of that name"),
        (["methd", "my_kd"], "cannot write a new 'methd'; did you mean 'method'"),
        (["method", "there"], "there.py exists, and nothing is written over"),
        (["method", "there", "--package"], "there exists, and nothing is written over"),
    ],
)
def test_a_bad_name_writes_nothing(
    words: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "there.py").write_text("mine")
    (folder / "there").mkdir()
    assert command("new", *words) == 2
    assert expected in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["there", "there.py"]
    assert (folder / "there.py").read_text() == "mine"
