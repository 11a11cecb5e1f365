"""A full disk, and folders that cannot be written."""

from __future__ import annotations

import ctypes
import os
import random
import resource
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from perf.campaign.case import Case, require
from perf.campaign.finished import COHORT, finished
from perf.campaign.homes import EARLIER, require_same, settled, snapshot, with_an_earlier_run, words
from perf.campaign.process import Outcome, aside, benchmark

NEWNS, NEWUSER = 0x00020000, 0x10000000
READ_ONLY, REMOUNT, BIND, PRIVATE, RECURSIVE = 1, 32, 4096, 1 << 18, 16384
FOLDERS = ("", "records", "runs", "teachers", "leaderboards")
libc = ctypes.CDLL(None, use_errno=True)


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield disks that fill up at a random point and folders that turn read-only, in turn, without end."""
    number = 0
    while True:
        share = chance.uniform(0.02, 0.98)
        yield Case(f"disk full at {share:.0%} of what is needed", partial(_full, share))
        part = FOLDERS[number % len(FOLDERS)]
        yield Case(f"read-only {part or 'home'}", partial(_read_only, part))
        number += 1


def _full(share: float, folder: Path) -> None:
    """Give a home a disk that is too small, then one that is not."""
    need = sum(len(content) for content in snapshot(finished(*COHORT)).values())
    whole = settled(finished(*COHORT))

    def work() -> None:
        if own_mounts():
            mount("tmpfs", folder, "tmpfs", 0, f"size={4096 + int(share * need)}")
            grow = partial(mount, "tmpfs", folder, "tmpfs", REMOUNT, "size=1g")
            _stopped_then_whole(folder, whole, grow, benchmark)
        else:
            limit = 1000 + int(share * max(len(content) for content in snapshot(finished(*COHORT)).values()))
            small = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
            _stopped_then_whole(folder, whole, lambda: None, partial(benchmark, prepare=small))

    aside(work)


def _read_only(part: str, folder: Path) -> None:
    """Make a folder of a home read-only, then writable again."""
    whole = settled(finished(*COHORT))

    def work() -> None:
        target = folder / "home" / part
        target.mkdir(parents=True)
        if own_mounts():
            mount(str(target), target, "", BIND, "")
            mount("", target, "", BIND | REMOUNT | READ_ONLY, "")
            _stopped_then_whole(folder, whole, partial(libc.umount2, bytes(target), 2), benchmark)
        else:
            require(os.geteuid(), "root can write anywhere, and no mounts are allowed here")
            target.chmod(0o555)
            _stopped_then_whole(folder, whole, partial(target.chmod, 0o755), benchmark)

    aside(work)


def _stopped_then_whole(
    folder: Path, whole: dict[str, str], mend: Callable[[], object], first: Callable[[list[str], Path], Outcome]
) -> None:
    """Run a command that cannot write: the earlier record is whole, the message clear; then mend it, and run again."""
    home, command = folder / "home", words("home", *COHORT)
    earlier = home / "records" / f"{EARLIER.run_id}.json"
    try:
        with_an_earlier_run(home)
        before = earlier.read_bytes()
    except Exception:  # not even that could be written: nothing to keep
        before = b""
    outcome = first(command, folder)
    require("Traceback" not in outcome.text, f"traceback: {outcome.tail}")
    require(outcome.code == 2, f"exit code {outcome.code}: {outcome.tail}")
    line = outcome.text.rstrip().splitlines()[-1]
    require(line.startswith("error: ") and "; " in line, f"no clear line: {outcome.tail}")
    require(not before or earlier.read_bytes() == before, "an earlier record was harmed")
    mend()
    if not before:
        with_an_earlier_run(home)
    again = benchmark(command, folder)
    require(again.code == 0, f"the same command afterwards: exit code {again.code}: {again.tail}")
    require_same(home, whole)


def own_mounts() -> bool:
    """Give this process mounts of its own; False where that is not allowed."""
    for flags in (NEWNS, NEWNS | NEWUSER):
        if libc.unshare(flags) == 0:
            return libc.mount(b"none", b"/", None, PRIVATE | RECURSIVE, None) == 0
    return False


def mount(source: str, target: Path, kind: str, flags: int, options: str) -> None:
    """Mount; raises OSError."""
    given = (source.encode(), bytes(target), kind.encode(), flags, options.encode())
    if libc.mount(*given) != 0:
        raise OSError(ctypes.get_errno(), f"mount {given}")
