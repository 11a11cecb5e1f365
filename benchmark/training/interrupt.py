"""Stopping between two steps, so that the saved state is never half a step."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

USER = ("SIGUSR1", "SIGUSR2")  # by which schedulers say that the time is nearly over, to those who listen
OWN = (signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler, None)  # handlers that wait for nothing


class Interrupted(Exception):  # noqa: N818 - it is no error
    """Somebody asked to stop; all states are saved, and the same command goes on from there.

    Args:
        number: of the signal that asked.
    """

    def __init__(self, message: str, number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.number = number


class Stop:
    """While entered, SIGINT and SIGTERM become a request that the training loop heeds; a second one acts at once.

    So do the signals of a scheduler where somebody handles them already, who gets such a signal at the end, when all is
    saved: submitit requeues its job then.
    """

    def __init__(self) -> None:
        self.requested = 0  # number of the signal that asked
        self._before: dict[int, Any] = {}
        self._listened: list[int] = []

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            known = [getattr(signal, name) for name in USER if hasattr(signal, name)]  # Windows has none
            self._listened = [number for number in known if signal.getsignal(number) not in OWN]
            for number in (signal.SIGINT, signal.SIGTERM, *self._listened):
                self._before[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.requested in self._listened:
            signal.raise_signal(self.requested)

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = number
