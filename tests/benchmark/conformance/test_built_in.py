"""Every built-in method and task keeps every promise."""

from __future__ import annotations

from itertools import product

import pytest

from benchmark.conformance import assert_conforms, check_method, check_task, method_checks, task_checks
from methods.base import methods
from tasks.base import tasks
from tests.support import built_in, in_turn

METHODS, TASKS = built_in(methods), built_in(tasks)
ONE_TASK = in_turn(METHODS, TASKS)


@pytest.mark.parametrize(("method", "task"), ONE_TASK)
def test_methods_on_one_task(method: str, task: str) -> None:
    findings = check_method(method, tasks=[task])  # all checks in one test: workers do not share findings
    assert_conforms(findings)
    assert {each.check: each.outcome for each in findings} == {
        name: "measured" if name == "cost" else "passed" for name in method_checks()
    }


@pytest.mark.slow
@pytest.mark.parametrize(("method", "task"), [each for each in product(METHODS, TASKS) if each not in ONE_TASK])
def test_methods_on_every_other_task(method: str, task: str) -> None:
    assert_conforms(check_method(method, tasks=[task]))


@pytest.mark.parametrize("task", TASKS)
def test_tasks_and_a_step_of_a_method(task: str) -> None:
    findings = check_task(task, methods=["none"])
    assert_conforms(findings)
    assert {each.check: each.outcome for each in findings} == dict.fromkeys(task_checks(), "passed")
