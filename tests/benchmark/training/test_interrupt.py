from __future__ import annotations

import os
import signal

import pytest

from benchmark.training.interrupt import Stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_request_and_a_second_one_acts_at_once(number: int) -> None:
    before = signal.getsignal(number)
    with Stop() as stop:
        assert not stop.requested
        os.kill(os.getpid(), number)
        assert stop.requested == number
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_a_scheduler_that_listens_hears_its_signal_when_all_is_saved() -> None:
    heard: list[str] = []
    before = signal.signal(signal.SIGUSR2, lambda number, frame: heard.append("requeued"))
    try:
        with Stop() as stop:
            os.kill(os.getpid(), signal.SIGUSR2)
            assert stop.requested == signal.SIGUSR2
            heard.append("saved")
        assert heard == ["saved", "requeued"]
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_a_signal_that_nobody_listens_to_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with Stop():
        assert signal.getsignal(signal.SIGUSR1) is before
