"""Both classes keep every promise of the suite."""

import pytest

from benchmark.conformance import assert_conforms, check_method, check_task, method_checks, task_checks


@pytest.mark.parametrize("check", method_checks())
def test_attention(check):
    assert_conforms(check_method("attention", check, tasks=["seg", "normals"]))


@pytest.mark.parametrize("check", task_checks())
def test_normals(check):
    assert_conforms(check_task("normals", check, methods=["pixel", "attention"]))
