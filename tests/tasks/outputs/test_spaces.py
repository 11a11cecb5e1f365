"""The output spaces of built-in tasks are all among those that the laws, and every method, are tried on."""

import pytest

from tasks.base import datasets, tasks
from tests.methods.conftest import SPACES
from tests.support import built_in
from tests.tasks.outputs.cases import CASES


@pytest.mark.parametrize("name", built_in(tasks))
def test_a_space_of_a_task_has_its_cases(name):
    task = tasks[name]
    space = type(task(datasets[task.dataset].info).output)
    assert space in {type(case.space) for case in CASES.values()}
    assert any(issubclass(type(make()), space) for make, *_ in SPACES.values())
