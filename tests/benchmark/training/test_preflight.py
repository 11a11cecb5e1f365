from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from benchmark.training.preflight import inspect_terms
from tasks.errors import InputError
from tests.support import tiny_run


def test_ratios_are_those_of_the_weighted_gradients() -> None:
    weight = nn.Parameter(torch.tensor([3.0, 4.0]))
    terms = {"supervised": weight.sum(), "other": (weight**2).sum(), "off": weight.sum()}
    found = inspect_terms(terms, {"supervised": 1.0, "other": 0.5, "off": 0.0}, [weight], weight.sum())
    assert found.gradient_ratios == pytest.approx({"supervised": 1.0, "other": 5.0 / 2**0.5})
    assert found.terms == {"supervised": 7.0, "other": 25.0, "off": 7.0}
    (terms["other"]).backward()  # the graph is still there
    torch.testing.assert_close(weight.grad, 2 * weight.detach())


def test_a_term_without_gradient_to_the_student_is_refused() -> None:
    student, adaptor = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    for lost in (student.detach().sum(), adaptor.sum()):
        with pytest.raises(InputError, match="term 'lost' has weight 2 but no gradient of it reaches the student"):
            inspect_terms({"lost": lost}, {"lost": 2.0}, [student], student.sum())


def test_the_record_holds_what_the_first_step_showed(home: Path) -> None:
    (record,) = tiny_run(home, "method=mgd")
    assert record.diagnostics.gradient_ratios.keys() == record.method.weights.keys()
    assert record.diagnostics.gradient_ratios["supervised"] == 1.0
    assert all(ratio > 0 for ratio in record.diagnostics.gradient_ratios.values())
    assert record.diagnostics.first_terms.keys() == record.method.weights.keys()


def test_an_untrained_teacher_makes_a_placebo_row_of_the_same_track(home: Path) -> None:
    (usual,) = tiny_run(home, "method=pixel")
    none, placebo = tiny_run(home, "method=[none,pixel]", "teacher.control=untrained")
    assert placebo.track_id == usual.track_id == none.track_id
    assert (placebo.method.variant, placebo.method.control) == ("untrained teacher", True)
    assert none.method.variant == ""
    assert placebo.entry_id != usual.entry_id
    assert placebo.method.roles["teacher"] != usual.method.roles["teacher"]
    assert placebo.teachers[0] == usual.teachers[0]
