"""Commands in processes of their own: forked, so that what all of them import is imported once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmark import cli
from perf.campaign.case import Broken

PATIENCE = 300.0  # seconds that a command may take


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code, or the negative number of the signal; all that it printed."""

    code: int
    text: str

    @property
    def tail(self) -> str:
        """The last lines, for a reason."""
        return " / ".join(self.text.strip().splitlines()[-3:])[-400:]


class Command:
    """``benchmark WORDS`` in a child process, the leader of a group of its own.

    Args:
        words: of the command line.
        folder: where it runs.
        prepare: called in the child first, to set its limits or to watch it.
        environment: variables that it has beside ours.
    """

    def __init__(
        self,
        words: list[str],
        folder: Path,
        prepare: Callable[[], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - read when the command ends
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _become(words, folder, self._output, prepare, environment or {})

    @property
    def running(self) -> bool:
        """Whether the command has not ended yet."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def kill(self) -> None:
        """Send SIGKILL to the command and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self, patience: float = PATIENCE) -> Outcome:
        """Wait for the end; Broken where it takes too long."""
        code = _ended(self.pid, patience)
        if code is None:
            self.kill()
            os.waitpid(self.pid, 0)
        self._output.seek(0)
        text = self._output.read().decode(errors="replace")
        self._output.close()
        if code is None:
            raise Broken(f"no end after {patience:.0f} s: {Outcome(0, text).tail}")
        return Outcome(code, text)


def benchmark(
    words: list[str],
    folder: Path,
    prepare: Callable[[], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a command to its end."""
    return Command(words, folder, prepare, environment).wait()


def aside(work: Callable[[], None]) -> None:
    """Do something in a forked child, whose mounts and limits are its own; Broken as it is raised there."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        code = 1
        try:
            work()
            code = 0
        except Broken as broken:
            os.write(writer, str(broken).encode()[:4000])
        except BaseException:
            os.write(writer, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        reason = pipe.read().decode()
    _, status = os.waitpid(pid, 0)
    if status:
        raise Broken(reason or f"ended with status {os.waitstatus_to_exitcode(status)}")


def _become(
    words: list[str],
    folder: Path,
    output: IO[bytes],
    prepare: Callable[[], None] | None,
    environment: Mapping[str, str],
) -> None:
    """Be the command: never returns."""
    code = 1
    try:
        os.setsid()
        for number in (1, 2):
            os.dup2(output.fileno(), number)
        sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w", buffering=1) for number in (1, 2))
        warnings.resetwarnings()
        warnings.simplefilter("ignore", DeprecationWarning)
        os.chdir(folder)
        os.environ.update(environment)
        sys.argv = ["benchmark", *words]
        if prepare is not None:
            prepare()
        cli.main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)


def _ended(pid: int, patience: float) -> int | None:
    """Return the exit code of a child, or None where it is still running."""
    for pause in _pauses(patience):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
    return None


def _pauses(patience: float) -> Iterator[float]:
    """Yield short pauses at first, longer ones later."""
    end, pause = time.monotonic() + patience, 0.002
    while time.monotonic() < end:
        yield pause
        pause = min(0.05, pause * 1.5)
