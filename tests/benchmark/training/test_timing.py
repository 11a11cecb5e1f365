"""Arithmetic of times, on a clock that the test turns."""

from __future__ import annotations

import pytest

from benchmark.training.clock import Clock
from benchmark.training.timing import Timing

PASS = ("deep", "labeled")


class Device:
    """A device that works behind the caller: a mark is reached when all work that was queued before it is done."""

    def __init__(self) -> None:
        self.host = self.busy_until = 0.0
        self.waits = 0

    def queue(self, seconds: float) -> None:
        """Give it work, which begins when it is idle; the caller goes on at once."""
        self.busy_until = max(self.busy_until, self.host) + seconds

    def mark(self) -> float:
        self.queue(0.0)
        return self.busy_until

    def seconds(self, begin: float, end: float) -> float:
        return end - begin

    def wait(self) -> None:
        self.waits += 1
        self.host = max(self.host, self.busy_until)


def test_what_a_device_worked_while_data_was_waited_for_is_counted_once() -> None:
    device, timing = Device(), Timing()
    clock = Clock(device)
    for wait, work in ((3.0, 5.0), (3.0, 1.0), (4.0, 2.0)):
        with clock.measure(timing.data):
            device.host += wait  # the loader's time, which passes on the host
        with clock.measure(timing.steps):
            device.queue(work)
    assert timing.data == []
    clock.settle()
    assert device.waits == 1
    assert timing.data == [3.0, 0.0, 1.0]  # 5 s of work hide the second wait, and a part of the third
    assert timing.steps == [5.0, 1.0, 2.0]
    assert timing.alone({}).total == device.busy_until == 12.0
    clock.settle()
    assert (device.waits, len(timing.data)) == (1, 3)


def test_a_block_may_count_for_several_and_one_that_raises_counts_for_none() -> None:
    device = Device()
    clock, mine, yours = Clock(device), [], []
    with clock.measure(mine, yours):
        device.queue(2.0)
    with pytest.raises(KeyError), clock.measure(mine):
        raise KeyError
    clock.settle()
    assert mine == yours == [2.0]


def test_alone_a_member_pays_for_the_predictions_that_it_used_and_for_no_others() -> None:
    paid = Timing(data=[1.0, 1.0], steps=[10.0, 10.0], critic=[2.0, 2.0])
    paid.computed[PASS] = 2
    free = Timing(data=[1.0, 1.0], steps=[6.0, 6.0])
    for timing in (paid, free):
        timing.asked[PASS] = 2
    other = Timing(data=[1.0, 1.0], steps=[7.0, 7.0])
    other.computed[PASS] = 1  # for the others: it uses none
    teachers = {PASS: [3.0, 5.0]}
    assert paid.alone(teachers).total == 2 + (20 - 8) + 8
    assert free.alone(teachers).total == 2 + 12 + 8
    assert other.alone(teachers).total == 2 + (14 - 4)
    alone = paid.alone(teachers)
    assert (alone.share(alone.teachers), alone.share(alone.critic)) == (8 / 22, 4 / 22)
    assert Timing().alone({}).share(1.0) is None


def test_a_typical_step_leaves_out_the_start_of_the_workers() -> None:
    timing = Timing(data=[60.0, 0.5, 0.5, 0.5], steps=[9.0, 1.0, 2.0, 1.5])
    assert timing.typical_step(1) == 2.0
    assert Timing(data=[1.0], steps=[1.0]).typical_step(4) == 0.0


def test_times_come_back_from_a_resume_state() -> None:
    timing = Timing(data=[1.0], steps=[2.0])
    timing.asked[PASS] += 1
    assert Timing.of(timing.state()) == timing
