"""For a method that breaks one promise, the kit names that one, in words, and no other."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

import pytest

from benchmark.conformance import assert_conforms, check_method
from methods.base import Method, methods
from tests.benchmark.conformance import broken_methods as b

TASK = "saliency"
OPTIONS = ["methods.my_sound.weight=2"]
DECLARED = (b.Undocumented, b.Untitled, b.Untyped, b.ByPosition)  # seen without a task
CASES: list[tuple[type[Method], str, str]] = [
    (b.NoGradient, "gradients reach the student", "no gradient of mine reaches the student"),
    (b.Touching, "shared things stay as they are", "changed the prediction of teacher 'deep' in place"),
    (b.TouchingImages, "shared things stay as they are", "changed the batch 'labeled' in place"),
    (b.Sum, "terms are means", "mine becomes 2.00 times as large"),
    (b.TorchDraws, "no global random numbers", "forward draws from the global random numbers of torch"),
    (b.NumpyDraws, "no global random numbers", "forward draws from the global random numbers of NumPy"),
    (b.Undeclared, "needs are declared", "asks for the teacher 'wide' without declaring it"),
    (b.UndeclaredStream, "needs are declared", "uses the unlabeled stream without declaring it"),
    (b.Idle, "needs are declared", "declares the teacher 'wide', which is then trained, and never asks for it"),
    (b.Undocumented, "options are documented", "the docstring of Undocumented says nothing of 'weight'"),
    (b.Untitled, "title", "title is ''"),
    (b.Untyped, "options have types and defaults", "'weight' has no type"),
    (b.ByPosition, "options have types and defaults", "takes 'weight' by position"),
    (b.Forgetful, "resumed and uninterrupted are the same", "average changes as it trains and is not in state_dict"),
    (b.Overflowing, "works on one image", "not finite on a batch of one: mine=inf"),
    (b.Failing, "terms are finite scalars", "raised ArithmeticError: a method's own fault"),
    (b.Vector, "terms are finite scalars", "mine is a tensor of shape (4,)"),
]


@pytest.fixture
def register() -> Iterator[object]:
    """Register classes for the length of a test."""
    with methods.restored():
        yield lambda cls: methods.register(f"my_{cls.__name__.lower()}")(cls)


@pytest.mark.parametrize(("cls", "check", "found"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_fault_is_named_and_no_other(cls: type[Method], check: str, found: str, register: object) -> None:
    register(cls)
    findings = check_method(cls, tasks=[] if cls in DECLARED else [TASK])
    faults = [each for each in findings if not each.passed]
    assert [each.check for each in faults] == [check], "\n".join(map(str, faults))
    assert found in faults[0].found
    assert faults[0].fix
    with pytest.raises(AssertionError, match="fix: "):
        assert_conforms(findings)


def test_a_sound_method_keeps_every_promise(register: object) -> None:
    register(b.Sound)
    findings = check_method(b.Sound, tasks=[TASK], words=OPTIONS)
    assert {each.outcome for each in findings} == {"passed", "measured"}, "\n".join(map(str, findings))
    (cost,) = [each for each in findings if each.check == "cost"]
    assert "times none's; 0 own parameters" in cost.found
    (builds,) = [each for each in findings if each.check == "builds"]
    assert builds.found == "weights: supervised 1, mine 2"


def test_what_instances_share_is_found(register: object) -> None:
    """State in a class attribute outlives a run, so that nothing can be repeated."""
    register(b.Sharing)
    faults = [each.check for each in check_method(b.Sharing, tasks=[TASK]) if not each.passed]
    assert faults == ["no global random numbers"]


def test_a_plugin_that_cannot_be_imported_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = importlib.metadata.EntryPoint("my_kd", "no_such_package.my_kd", "densedistill.methods")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [entry])
    monkeypatch.setattr(methods, "broken", {})
    methods.load_plugins()
    (finding,) = check_method("my_kd")
    assert (finding.check, finding.passed) == ("imports", False)
    assert "ModuleNotFoundError: No module named 'no_such_package'" in finding.found


def test_one_check_alone_is_picked_out(register: object) -> None:
    register(b.Sound)
    findings = check_method("my_sound", "terms are means", tasks=[TASK], words=OPTIONS)
    assert [each.check for each in findings] == ["terms are means"]
