"""Every built-in method and task keeps every promise."""

from __future__ import annotations

from itertools import product

import pytest

from benchmark.conformance import assert_conforms, check_method, check_task, method_checks, task_checks
from methods.base import methods
from tasks.base import tasks
from tests.support import built_in

METHODS, TASKS = built_in(methods), built_in(tasks)
ONE_TASK = {name: TASKS[(number - 1) % len(TASKS)] for number, name in enumerate(METHODS)}  # each task has its turn


@pytest.mark.parametrize("method", METHODS)
def test_methods_on_one_task(method: str) -> None:
    findings = check_method(method, tasks=[ONE_TASK[method]])  # all checks in one test: workers do not share findings
    assert_conforms(findings)
    assert {each.check: each.outcome for each in findings} == {
        name: "measured" if name == "cost" else "passed" for name in method_checks()
    }


@pytest.mark.slow
@pytest.mark.parametrize(("method", "task"), [each for each in product(METHODS, TASKS) if each not in ONE_TASK.items()])
def test_methods_on_every_other_task(method: str, task: str) -> None:
    assert_conforms(check_method(method, tasks=[task]))


@pytest.mark.parametrize("task", TASKS)
def test_tasks_and_a_step_of_every_method(task: str) -> None:
    findings = check_task(task, methods=METHODS)
    assert_conforms(findings)
    assert {each.check: each.outcome for each in findings} == dict.fromkeys(task_checks(), "passed")
