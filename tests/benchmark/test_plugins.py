"""Methods and tasks from outside: as a file, as an installed package, as a file in methods/."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

import methods as methods_package
from benchmark.commands import sweep
from benchmark.commands.execute import Job
from benchmark.config import catalog, compose
from benchmark.config.file_words import read_files
from benchmark.run import Run
from methods.base import methods
from tasks import single_file
from tasks.base import tasks
from tasks.errors import InputError
from tests.benchmark.test_cli import command
from tests.support import TINY, install, student_bytes, tiny_config, tiny_run

pytestmark = pytest.mark.usefixtures("registries")

SOURCE = '''
"""A method that draws a parameter, so that its name and its seed both matter."""

import torch

from methods.base import SUPERVISED, Method, register


@register("threeway")
class ThreeWay(Method):
    """A test.

    Args:
        weight: of the term.
    """

    title, paper = "three ways", "none"

    def __init__(self, setting, *, weight: float = 2.0):
        super().__init__(setting)
        self.shift = torch.nn.Parameter(torch.rand(1))
        self.weights["soft"] = weight

    def forward(self, step):
        student, teacher = step.student(step.labeled), step.teacher(step.labeled)
        apart = self.output.summary(student) - self.output.summary(teacher) + self.shift
        return {SUPERVISED: step.supervised(), "soft": apart.square().mean()}
'''
EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin" / "densedistill_example" / "attention.py"
PLAIN = SOURCE.replace('@register("threeway")\n', "").replace(", register", "")
ENTRY = {"densedistill.methods": {"threeway": "densedistill_threeway:ThreeWay"}}


def written(path: Path, source: str = SOURCE) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    return path


def run_id(home: Path, *words: str) -> str:
    """Name the run that words ask for, without running it."""
    return Run(tiny_config(home, *words), Console(file=io.StringIO())).contestants[0].identity.run_id


def test_the_three_ways_give_the_same_bits(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (as_file,) = tiny_run(home, f"method={written(tmp_path / 'loose' / 'threeway.py')}:ThreeWay")
    methods.withdraw("threeway")

    site = install(tmp_path / "site", "densedistill-threeway", "0.3.0", SOURCE, ENTRY)
    monkeypatch.syspath_prepend(site)
    methods.load_plugins()
    (as_package,) = tiny_run(home, "method=threeway")
    methods.withdraw("threeway")

    inside = written(tmp_path / "inside" / "threeway.py")
    monkeypatch.setattr(methods_package, "__path__", [*methods_package.__path__, str(inside.parent)])
    catalog.import_modules("methods", [str(inside.parent)])
    (built_in,) = tiny_run(home, "method=threeway")

    records = (as_file, as_package, built_in)
    assert len({student_bytes(home, record) for record in records}) == 1
    assert len({record.run_id for record in records}) == 3
    assert [(each.method.package, each.method.version) for each in records[:2]] == [
        ("threeway.py", ""),
        ("densedistill-threeway", "0.3.0"),
    ]
    assert as_file.method.file_sha256 == hashlib.sha256(SOURCE.encode()).hexdigest()
    assert as_package.method.file_sha256 is None
    assert built_in.method.package == "densedistill"
    assert as_file.task.package == "densedistill"


def test_options_of_a_file_go_by_its_name(tmp_path: Path) -> None:
    path = written(tmp_path / "my_kd.py", PLAIN)
    loaded = compose.load([f"method=[none, {path}:ThreeWay]", "methods.my_kd.weight=3"])
    assert loaded.methods == {"none": {}, "my_kd": {"weight": 3.0, "strength": 1.0}}
    assert loaded.files == [f"{path}:ThreeWay"]
    with pytest.raises(InputError, match=r"unknown key 'methods.my_kd.wieght'; did you mean 'methods.my_kd.weight'"):
        compose.load([f"method={path}", "methods.my_kd.wieght=3"])


def test_a_run_is_named_by_what_the_file_holds_not_by_where_it_lies(tmp_path: Path, home: Path) -> None:
    here, there = written(tmp_path / "a" / "my_kd.py", PLAIN), written(tmp_path / "b" / "my_kd.py", PLAIN)
    first = run_id(home, f"method={here}:ThreeWay")
    assert run_id(home, f"method={there}:ThreeWay") == first
    written(here, PLAIN + "# changed\n")
    assert run_id(home, f"method={here}:ThreeWay") != first


def test_a_run_of_a_package_is_named_by_all_of_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.origin import source_sha256

    folder = tmp_path / "some_kd"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "helper.py").write_text("x = 1")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("some_kd.helper")
    first = source_sha256.__wrapped__("some_kd.helper")
    (folder / "helper.py").write_text("x = 2")
    assert source_sha256.__wrapped__("some_kd.helper") != first


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("method={0}:ThreeWay", "method=my_kd"),
        ("method=[none,{0}]", "method=[none,my_kd]"),
        ("method=[none, '{0}:ThreeWay' ]", "method=[none, my_kd ]"),
        ("method={0}:ThreeWay,none", "method=my_kd,none"),
        ("method=[{0}],[none]", "method=[my_kd],[none]"),
        ("home={0}", "home={0}"),
    ],
)
def test_words_that_name_files(word: str, expected: str, tmp_path: Path) -> None:
    path = written(tmp_path / "some folder" / "my_kd.py", PLAIN)
    found = read_files([word.format(path), "seed=1"])
    assert found[0] == expected.format(path)
    assert found[1] == "seed=1"
    assert found[2:] == ([] if word.startswith("home") else [f'files=["{path}:ThreeWay"]'])
    assert read_files(found) == found


def test_a_sweep_over_files(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "write_home", lambda home, console: None)
    path = written(tmp_path / "my_kd.py", PLAIN)
    assert command("run", "-m", *TINY, f"method={path}:ThreeWay,none", f"home={home}") == 0
    assert sorted(each.name.split("-")[1] for each in (home / "records").glob("*.json")) == ["my_kd", "none"]


@pytest.mark.slow
@pytest.mark.parametrize("task", sorted(tasks))
def test_the_example_in_one_file_beside_a_notebook_runs_on_every_task(
    task: str, tmp_path: Path, home_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "my_kd.py", EXAMPLE.read_text())
    none, own = tiny_run(home_of(task), f"task={task}", "method=[none,./my_kd.py:AttentionTransfer]")
    assert (none.status, own.status) == ("ok", "ok")
    assert (own.method.name, own.method.package) == ("attention", "my_kd.py")
    assert set(own.method.weights) == {"supervised", "attention"}


def test_a_job_reads_the_file_again(tmp_path: Path) -> None:
    path = written(tmp_path / "my_kd.py", PLAIN)
    composed = compose.composed([f"method={path}"])
    methods.withdraw("my_kd")  # as in a process that has not seen the words
    for name in [name for name in sys.modules if name.startswith(single_file.MODULE)]:
        del sys.modules[name]
    assert compose.typed(composed).methods == {"my_kd": {"weight": 2.0, "strength": 1.0}}
    assert methods["my_kd"].title == "three ways"


@pytest.mark.slow
def test_a_job_in_another_process(tmp_path: Path, home: Path) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")  # as the launchers of Hydra send jobs
    path = written(tmp_path / "my_kd.py", PLAIN)
    job = cloudpickle.dumps(
        (Job(("benchmark", "run"), 0), compose.composed([*TINY, f"method={path}:ThreeWay", f"home={home}"]))
    )
    code = "import pickle, sys; job, composed = pickle.load(sys.stdin.buffer); job(composed)"
    root = str(Path(methods_package.__file__).parents[1])
    subprocess.run(
        [sys.executable, "-c", code], input=job, check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}
    )
    assert [each.name.split("-")[1] for each in (home / "records").glob("*.json")] == ["my_kd"]


TASK = '''
from tasks.saliency import Saliency


class Mine(Saliency):
    """A task."""
'''


def test_a_task_from_a_file(tmp_path: Path) -> None:
    path = written(tmp_path / "my_task.py", TASK)
    (record,) = tiny_run(tmp_path / "runs", f"task={path}:Mine", "method=pixel")
    assert record.status == "ok"
    assert (record.task.name, record.task.package) == ("my_task", "my_task.py")
    assert record.task.file_sha256 == hashlib.sha256(TASK.encode()).hexdigest()
    written(path, TASK + "# changed\n")
    compose.load([f"task={path}:Mine"])
    assert tasks["saliency"].title == "salient-object detection"


@pytest.mark.parametrize(
    ("name", "source", "wanted", "expected"),
    [
        ("my_kd.py", None, ":MyKD", "my_kd.py: expected a Python file, found no such file"),
        ("my_kd.py", "import torch\n\n1 / 0\n", "", "my_kd.py, line 3: ZeroDivisionError: division by zero"),
        ("my_kd.py", PLAIN, ":ThreeWya", "has no class 'ThreeWya'; did you mean 'ThreeWay'?"),
        ("my_kd.py", "class MyKD: pass\n", ":MyKD", "class 'MyKD' is no method: derive it from methods.base.Method"),
        ("my_kd.py", PLAIN + PLAIN.replace("ThreeWay", "B"), "", "defines several classes: ThreeWay, B; choose one"),
        ("pixel.py", PLAIN, "", "method 'pixel' is registered twice: by densedistill "),
        ("my_kd.py", PLAIN.replace(": float = 2.0", ""), "", "option 'weight' of ThreeWay needs a default value"),
    ],
)
def test_a_bad_file_is_one_clear_line_and_exit_code_2(
    name: str, source: str | None, wanted: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if source is not None:
        written(tmp_path / name, source)
    assert command("run", *TINY, f"method={tmp_path / name}{wanted}", f"home={tmp_path}") == 2
    message = capsys.readouterr().err
    assert expected in message
    assert message.count("\n") == 1
    assert methods["pixel"].title == "pixel-wise distillation"


def test_broken_plugins_are_listed_and_harm_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    points = {"densedistill.methods": {"broken_kd": "densedistill_broken:Kd"}}
    monkeypatch.syspath_prepend(install(tmp_path / "a", "densedistill-broken", "1.0", "import nowhere_at_all", points))
    thief = SOURCE.replace("threeway", "mgd")
    points = {"densedistill.methods": {"thief": "densedistill_thief:ThreeWay"}}
    monkeypatch.syspath_prepend(install(tmp_path / "b", "densedistill-thief", "2.0", thief, points))
    undecided = SOURCE.replace("threeway", "undecided").replace(": float = 2.0", "")
    points = {"densedistill.methods": {"undecided": "densedistill_undecided:ThreeWay"}}
    monkeypatch.syspath_prepend(install(tmp_path / "c", "densedistill-undecided", "3.0", undecided, points))
    methods.load_plugins()
    monkeypatch.setenv("COLUMNS", "400")
    assert command("list", "methods") == 0
    shown = capsys.readouterr().out
    assert (
        "'broken_kd' failed: ModuleNotFoundError: No module named 'nowhere_at_all' (from densedistill-broken" in shown
    )
    assert "method 'mgd' is registered twice: by densedistill" in shown
    assert "and by densedistill-thief 2.0" in shown
    assert "option 'weight' of ThreeWay needs a default value (from densedistill-undecided 3.0)" in shown
    assert compose.load(["method=[none,mgd]"]).methods["mgd"]["grid"] == 7
    with pytest.raises(InputError, match="method 'broken_kd' comes from a plugin that failed to import"):
        compose.load(["method=broken_kd"])


def test_a_plugin_brings_configurations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = {"densedistill.conf": {"lab": "lab_conf.conf", "gone": "nowhere_at_all.conf"}}
    site = install(tmp_path / "site", "densedistill-lab", "1.0", "", points)
    folder = site / "lab_conf" / "conf" / "experiment"
    folder.mkdir(parents=True)
    for each in (site / "lab_conf", folder.parent):
        (each / "__init__.py").touch()
    (folder / "lab_quick.yaml").write_text("# @package _global_\nrecipe:\n  steps: 7\n")
    monkeypatch.syspath_prepend(site)
    assert compose.load(["experiment=lab_quick"]).recipe.steps == 7
    assert compose.load(["experiment=smoke"]).recipe.steps == 4
    with pytest.raises(InputError, match="plugin 'gone' names configurations in nowhere_at_all.conf, which is missing"):
        compose.load(["experiment=lab_quikc"])


def test_configurations_of_a_plugin_that_are_broken_harm_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = {"densedistill.conf": {"bad": "bad_conf.conf", "lab": "lab_rules.conf"}}
    site = install(tmp_path / "site", "densedistill-rules", "1.0", "", points)
    (site / "bad_conf").mkdir()
    (site / "bad_conf" / "__init__.py").write_text("1 / 0\n")
    folder = site / "lab_rules" / "conf" / "protocol"
    folder.mkdir(parents=True)
    for each in (site / "lab_rules", folder.parent):
        (each / "__init__.py").touch()
    (folder / "lab_steps.yaml").write_text("name: lab_steps\nevery: {recipe: {stepz: 7}}\n")
    (folder / "lab_text.yaml").write_text("name: [lab_text\n")
    monkeypatch.syspath_prepend(site)
    assert compose.load(["protocol=quick"]).protocol.name == "quick"
    with pytest.raises(InputError, match=r"protocol lab_steps, task \w+: recipe\.stepz"):
        compose.load(["protocol=lab_steps"])
    with pytest.raises(InputError, match=r"lab_text\.yaml.*expected"):
        compose.load(["protocol=lab_text"])
    with pytest.raises(
        InputError, match="plugin 'bad' names configurations in bad_conf.conf, which fails to import: Zero"
    ):
        compose.load(["experiment=nothing_like_it"])
