"""What there is to choose from, as a person sees it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from benchmark.commands import list_all, list_one
from benchmark.config import catalog
from methods.base import methods
from tasks.base import tasks
from tasks.errors import InputError
from tasks.registry import options
from tests.benchmark.test_cli import command
from tests.support import built_in

DOCS = Path(__file__).parents[3] / "docs"


def shown(what: str, name: str | None = None, home: Path = Path("nowhere"), width: int = 80) -> str:
    """Print a list as on a terminal."""
    console = Console(file=io.StringIO(), width=width)
    list_all.show(what, name, home, console)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    return text


def test_methods_say_paper_and_needs() -> None:
    text = shown("methods", width=200)
    assert re.search(
        r"mgd +multi-granularity distillation +Qin et al., ECCV 2022 +teachers: deep, wide; unlabeled", text
    )
    assert re.search(r"structured +structured distillation .* a teacher; trains a critic", text)
    assert re.search(r"none +student alone +none \(control\) +-", text)
    elsewhere = set(methods) - set(built_in(methods))
    assert ("origin" in text.splitlines()[1]) == bool(elsewhere)


@pytest.mark.parametrize("what", ["methods", "tasks", "data"])
def test_names_stay_whole_at_80_columns(what: str) -> None:
    text = shown(what)
    for name in catalog.REGISTRIES[list_all.KEYS[what]]:
        assert re.search(rf"^{name}\b", text, re.MULTILINE), name


def test_names_that_mean_several_papers() -> None:
    text = shown("methods", width=200)
    assert re.search(r"MGD +here mgd \(Qin et al., ECCV 2022\); elsewhere masked generative distillation, Yang", text)


@pytest.mark.parametrize("name", ["SKD", "skd", "structured"])
def test_a_method_is_found_by_what_papers_call_it(name: str) -> None:
    text = shown("methods", name, width=160)
    assert text.startswith("method=structured  structured distillation")
    assert "also called  SKD, SKDS, StructKD" in text
    assert "SKD: here structured (Liu et al., CVPR 2019 and TPAMI 2020); elsewhere" in text


def test_one_method_shows_its_options_and_origin() -> None:
    text = shown("methods", "cckd", width=140)
    assert re.search(r"\ngamma +float +0\.4 +\w+", text)
    assert re.search(r"\nsampling +uniform or class +class ", text)
    assert re.search(r"origin +densedistill \d", text)


def test_one_shows_whose_it_is_and_how_it_is_cited() -> None:
    text = shown("methods", "mgd", width=140)
    assert re.search(r"\nlicense +MIT", text)
    assert re.search(r"\nreference +https://arxiv\.org/abs/2208\.10169", text)
    assert "\n@inproceedings{qin2022multi,\n  title = {Multi-Granularity Distillation" in text
    text = shown("data", "coco", width=140)
    assert re.search(r"\nlicense +annotations CC BY 4\.0", text)
    assert "Doll{\\'a}r, Piotr" in text
    assert "@" not in shown("methods", "none")


def test_one_task_and_one_dataset() -> None:
    text = shown("tasks", "depth", width=140)
    assert "abs_rel, lower is better" in text
    assert re.search(r"datasets +folder, hf, kitti, nyuv2, rgbd, scenes", text)
    assert re.search(r"\nmedian_scaling +bool +false +score up to one factor an image", text)
    assert re.search(r"\nroot +str \| None +null", shown("data", "camvid", width=140))


def test_a_file_is_listed_before_it_is_run(tmp_path: Path, registries: None) -> None:
    (tmp_path / "my_kd.py").write_text("from methods.pixel import Pixel\n\nclass MyKD(Pixel):\n    title = 'mine'\n")
    text = shown("methods", f"{tmp_path}/my_kd.py:MyKD", width=250)
    assert text.startswith("method=my_kd  mine")
    assert f"{tmp_path}/my_kd.py, sha256 " in text
    assert "MyKD" not in shown("tasks")


def test_an_unknown_one_brings_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown method 'mdg'; did you mean 'mgd'"):
        shown("methods", "mdg")
    with pytest.raises(InputError, match="list teachers takes no name"):
        shown("teachers", "seg-1")


def test_a_damaged_teacher_is_named_and_hides_no_other(tmp_path: Path) -> None:
    good = {
        "id": "seg-1234",
        "task": "seg",
        "data": "scenes",
        "labeled": "1/8",
        "network": {"decoder": "FPN", "encoder": "resnet"},
        "params": 1234567,
        "trained": True,
        "steps": 800,
        "primary_metric": "miou",
        "metrics": {"miou": 0.5},
    }
    for name, text in (("a", "{"), ("b", json.dumps(good))):
        (tmp_path / "teachers" / name).mkdir(parents=True)
        (tmp_path / "teachers" / name / "teacher.json").write_text(text)
    text = shown("teachers", home=tmp_path, width=200)
    assert re.search(r"seg-1234 +seg, scenes, 1/8 +FPN resnet, 1,234,567 +800 +miou 0.5000", text)
    assert "a/teacher.json cannot be read" in text


@pytest.mark.parametrize("name", sorted(methods))
def test_every_option_of_a_method_has_a_meaning(name: str) -> None:
    assert set(options(methods[name])) <= list_one.meanings_of(methods[name]).keys()


@pytest.mark.parametrize("what", ["methods", "tasks", "data"])
def test_plain_names_are_for_scripts(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("list", what, "--plain") == 0
    assert capsys.readouterr().out.split() == sorted(catalog.REGISTRIES[list_all.KEYS[what]])


@pytest.mark.parametrize("words", [("teachers",), ("methods", "mgd")])
def test_plain_names_are_those_of_a_registry(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert command("list", *words, "--plain") == 2
    assert (
        f"--plain lists names: expected tasks, methods, data, networks, found {' '.join(words)}"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [(float, "float"), (float | None, "float | None"), (Literal["a", "b"], "a or b"), (list[int], "list[int]")],
)
def test_types_are_written_plainly(annotation: object, expected: str) -> None:
    assert list_one.type_of(annotation) == expected


@pytest.mark.parametrize(("key", "page"), [("method", "methods.md"), ("task", "methods.md"), ("data", "datasets.md")])
def test_the_manual_has_a_row_for_all_that_is_built_in(key: str, page: str) -> None:
    first_column = "\n".join(re.findall(r"^\| ([^|]+) \|", (DOCS / page).read_text(), re.MULTILINE))
    assert [name for name in built_in(catalog.REGISTRIES[key]) if f"`{name}`" not in first_column] == []


def test_the_readme_names_every_task() -> None:
    said = " ".join((DOCS.parent / "README.md").read_text().partition("## ")[0].split())
    assert [name for name in built_in(tasks) if tasks[name].title not in said] == []


def test_the_manual_lists_every_clash() -> None:
    manual = (DOCS / "methods.md").read_text()
    clashes = [name for method in built_in(methods) for name in methods[method].elsewhere]
    assert clashes
    assert [name for name in clashes if f"\n| {name} |" not in manual] == []
