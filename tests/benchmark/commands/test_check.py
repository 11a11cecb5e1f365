"""``benchmark check`` as a user and a CI job meet it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmark.cli import app, guarded
from methods.base import methods
from tests.benchmark.conformance.broken_methods import Undocumented


def command(*words: str) -> int:
    return guarded(lambda: app(["check", *words], standalone_mode=False))


@pytest.fixture
def undocumented() -> Iterator[None]:
    with methods.restored():
        methods.register("my_kd")(Undocumented)
        yield


def test_a_method_that_keeps_all_promises(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("method=none", "task=saliency") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "method none: 4 promises kept"
    assert printed[1].startswith("method none on saliency: 11 promises kept, cost: ")
    assert len(printed) == 2


def test_all_shows_what_is_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("task=saliency", "method=[none]", "--all") == 0
    printed = capsys.readouterr().out
    assert "passed       task saliency, metrics have directions: s_measure ranks, higher is better" in printed
    assert "task saliency with method none: 3 promises kept" in printed


@pytest.mark.usefixtures("undocumented")
def test_a_fault_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("method=my_kd", "task=saliency") == 1
    printed = capsys.readouterr().out
    assert "broken: options are documented" in printed
    assert "promise  The Args section of the class docstring has a line for every option." in printed
    assert "add a line below Args: in the class docstring, 'weight: what it does.'" in printed


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "expected method=NAME, task=NAME or student=NAME"),
        (("method=pixl",), "unknown method 'pixl'; did you mean 'pixel'"),
        (("task=sge",), "unknown task 'sge'; did you mean 'seg'"),
        (("method=pixel", "task=sge"), "unknown task 'sge'; did you mean 'seg'"),
        (("method=pixel", "task=seg", "methods.pixel.wieght=2"), "unknown key 'methods.pixel.wieght'"),
        (("pixel",), "'pixel' is not of the form key=value"),
    ],
)
def test_words_that_mean_nothing_are_exit_code_2(
    words: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*words) == 2
    assert expected in capsys.readouterr().err
