"""Every built-in method and task keeps every promise."""

from __future__ import annotations

import pytest

from benchmark import catalog
from benchmark.conformance import assert_conforms, check_method, check_task, method_checks, task_checks
from methods.base import methods
from tasks.base import tasks

catalog.load()
PACKAGED = ("methods.", "tasks.")
METHODS = sorted(name for name, cls in methods.items() if cls.__module__.startswith(PACKAGED))
TASKS = sorted(name for name, cls in tasks.items() if cls.__module__.startswith(PACKAGED))
ONE_TASK = {name: TASKS[(number + 1) % len(TASKS)] for number, name in enumerate(METHODS)}  # each task has its turn


@pytest.mark.parametrize("check", method_checks())
@pytest.mark.parametrize("method", METHODS)
def test_methods_on_one_task(method: str, check: str) -> None:
    findings = check_method(method, check, tasks=[ONE_TASK[method]])
    assert_conforms(findings)
    assert [each.outcome for each in findings] == ["measured" if check == "cost" else "passed"]


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("method", METHODS)
def test_methods_on_every_task(method: str, task: str) -> None:
    assert_conforms(check_method(method, tasks=[task]))


@pytest.mark.parametrize("check", task_checks())
@pytest.mark.parametrize("task", TASKS)
def test_tasks(task: str, check: str) -> None:
    findings = check_task(task, check, methods=["none"])
    assert_conforms(findings)
    assert [each.outcome for each in findings] == ["passed"]
