"""The conformance kit: does a method, a task or a network keep the suite's promises?

``benchmark check method=my_kd`` prints what it finds; in the tests of a plugin, one test a promise::

    import pytest
    from benchmark.conformance import assert_conforms, check_method, method_checks
    from my_package.my_kd import MyKD

    @pytest.mark.parametrize("check", method_checks())
    def test_my_kd(check):
        assert_conforms(check_method(MyKD, check, tasks=["seg", "depth"]))

All checks are made when the first is asked for. For a task it is ``check_task`` and ``task_checks``, for a
network ``check_network``, which makes them all at once.
"""

from benchmark.conformance.finding import Finding
from benchmark.conformance.kit import (
    assert_conforms,
    check_method,
    check_network,
    check_task,
    method_checks,
    task_checks,
)

__all__ = ["Finding", "assert_conforms", "check_method", "check_network", "check_task", "method_checks", "task_checks"]
