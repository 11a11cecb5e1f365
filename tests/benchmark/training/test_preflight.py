from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmark.training.preflight import Signals
from tasks.errors import InputError
from tests.support import ROUNDING, Finished, student_bytes, tiny_run


def test_ratios_are_those_of_the_weighted_gradients() -> None:
    weight = nn.Parameter(torch.tensor([3.0, 4.0]))
    terms = {"supervised": weight.sum(), "other": (weight**2).sum(), "off": weight.sum()}
    found = Signals(10)
    logged = found.inspect(0, terms, {"supervised": 1.0, "other": 0.5, "off": 0.0}, [weight])
    assert found.first_ratios() == pytest.approx({"supervised": 1.0, "other": 5.0 / 2**0.5}, rel=ROUNDING)
    assert {name: value.item() for name, value in logged.items()} == pytest.approx({"ratio other": 5.0 / 2**0.5})
    assert found.first_terms == {"supervised": 7.0, "other": 25.0, "off": 7.0}
    (terms["other"]).backward()  # the graph is still there
    torch.testing.assert_close(weight.grad, 2 * weight.detach())


def test_terms_keep_the_order_of_the_method() -> None:
    """A record is the same bytes whoever writes it: the order of a set's names is another one in every process."""
    weight, signals = nn.Parameter(torch.tensor([3.0, 4.0])), Signals(10)
    names = ["supervised", *(f"term {letter}" for letter in "qwertzuiop")]
    signals.inspect(0, {name: weight.sum() for name in names}, dict.fromkeys(names, 1.0), [weight])
    assert list(signals.ratios) == list(signals.first_ratios()) == list(signals.first_terms) == names


@pytest.mark.parametrize(
    ("steps", "measured"),
    [(10, [0]), (160, [0, 100]), (800, [100 * k for k in range(8)]), (801, [101 * k for k in range(8)])],
)
def test_gradients_are_measured_a_few_times_a_run(steps: int, measured: list[int]) -> None:
    weight, found = nn.Parameter(torch.tensor([3.0, 4.0])), Signals(steps)
    for index in range(steps):
        terms = {"supervised": weight.sum()}
        if index >= steps // 2:
            terms["late"] = 2 * weight.sum()
        found.inspect(index, terms, {"supervised": 1.0, "late": 1.0}, [weight])
    assert found.measured == measured
    late = [None if index < steps // 2 else 2.0 for index in measured]
    assert found.ratios == {"supervised": [1.0] * len(measured)} | ({"late": late} if any(late) else {})


def test_a_term_without_gradient_to_the_student_is_refused() -> None:
    student, adaptor = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    for lost in (student.detach().sum(), adaptor.sum()):
        with pytest.raises(InputError, match="term 'lost' counts but no gradient of it reaches the student"):
            Signals(20).inspect(0, {"lost": lost}, {"lost": 2.0}, [student])


@pytest.mark.parametrize("loud", [0, 1, 9, 10])
def test_a_gradient_that_stays_exactly_zero_is_refused(loud: int) -> None:
    """One that is zero at first only has its reasons: a schedule from zero, a student that equals its teacher."""
    student, found = nn.Parameter(torch.ones(2)), Signals(20)

    def train() -> None:
        for index in range(20):
            terms = {"supervised": student.sum(), "masked": (student * float(index == loud)).sum()}
            found.inspect(index, terms, {"supervised": 1.0, "masked": 1.0}, [student])

    if loud < 10:
        train()
        assert found.silent == []
    else:
        with pytest.raises(
            InputError, match="gradient of term 'masked' in the student was exactly zero on the first 10"
        ):
            train()


def test_the_record_holds_what_the_first_step_showed(together: Callable[[str], Finished]) -> None:
    record = together("seg").record("mgd")
    assert record.diagnostics.gradient_ratios.keys() == record.method.weights.keys()
    assert record.diagnostics.gradient_ratios["supervised"] == 1.0
    assert all(ratio > 0 for ratio in record.diagnostics.gradient_ratios.values())
    assert record.diagnostics.first_terms.keys() == record.method.weights.keys()
    assert record.diagnostics.ratio_steps == [0]
    assert record.diagnostics.ratios.keys() == record.method.weights.keys()


def test_an_untrained_teacher_makes_a_placebo_row_of_the_same_track(
    home: Path, together: Callable[[str], Finished]
) -> None:
    usual = together("seg").record("pixel")
    none, placebo = tiny_run(home, "method=[none,pixel]", "teacher.control=untrained")
    assert placebo.track_id == usual.track_id == none.track_id
    assert (placebo.method.variant, placebo.method.control) == ("untrained teacher", True)
    assert none.method.variant == ""
    assert placebo.entry_id != usual.entry_id
    assert placebo.method.roles["teacher"] != usual.method.roles["teacher"]
    assert placebo.teachers[0] == usual.teachers[0]


def test_measuring_gradients_leaves_the_student_as_it_is(
    home_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    students = []
    for apart in (1, 100):
        monkeypatch.setattr("benchmark.training.preflight.APART", apart)
        home = home_of("seg")
        (record,) = tiny_run(home, "method=mgd")
        assert (len(record.diagnostics.ratio_steps) > 1) == (apart == 1)
        students.append(student_bytes(home, record))
    assert students[0] == students[1]
