"""Tiny runs, and what must be the same of two homes whatever happened on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.config.quoting import word
from leaderboards import store, validate
from leaderboards.write import stale_boards
from perf.campaign.case import require
from tests.leaderboards.factory import record
from tests.support import SAVING, TINY

EARLIER = record("none", 7, run_id="an-earlier-run")
VOLATILE = frozenset(  # what a record says of time, of its own command and of the state of the source
    {"training", "latency_ms_p50", "latency_ms_p95", "images_per_s", "throughput_batch", "started", "finished"}
    | {"command", "lock_sha256", "git_sha", "git_dirty"}
)
PASSING = ("*.tmp", "resume.pt", ".export-*")  # what must be gone once a command has ended well
QUICK = ("md", "csv", "json")


def words(home: Path | str, *more: str) -> list[str]:
    """Return the words of a run that takes a second."""
    return ["run", *TINY, SAVING, *more, word("home", str(home))]


def settled(home: Path) -> dict[str, str]:
    """Return what a home holds, file by file, without times: hashes, to be compared."""
    found = {}
    for path in sorted(home.rglob("*")):
        name = str(path.relative_to(home))
        if path.is_dir() or path.name == ".lock" or name.startswith(("leaderboards/", "cache/")):
            continue
        content = path.read_bytes()
        if path.suffix == ".json" and path.parent.name != "images":
            content = json.dumps(_timeless(json.loads(content)), sort_keys=True).encode()
        found[name] = hashlib.sha256(content).hexdigest()
    return found


def _timeless(value: Any) -> Any:
    """Leave out of a JSON value what differs from one run to the next."""
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in VOLATILE}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def require_same(home: Path, whole: dict[str, str]) -> None:
    """Hold a home against one that nothing happened to: files, their bytes, records, boards."""
    found = settled(home)
    missing, more = sorted(whole.keys() - found.keys()), sorted(found.keys() - whole.keys())
    require(not missing, f"missing: {', '.join(missing[:4])}")
    require(not more, f"left over: {', '.join(more[:4])}")
    other = [name for name in whole if found[name] != whole[name]]
    require(not other, f"other bytes: {', '.join(other[:4])}")
    require_sound(home)


def require_sound(home: Path) -> None:
    """Hold a home against itself: no record at fault, boards that are those of its records, nothing left half done."""
    left = [str(path.relative_to(home)) for path in leftovers(home)]
    require(not left, f"left over: {', '.join(left[:4])}")
    faults = validate.validate([home])[1]
    require(not faults, f"at fault: {'; '.join(map(str, faults[:2]))}")
    records, _ = store.read([home])
    stale = stale_boards(records, home / "leaderboards", QUICK, (), [home])
    require(not stale, f"boards of other records: {', '.join(path.name for path in stale)}")


def leftovers(home: Path) -> Iterator[Path]:
    """List the files that no finished command leaves."""
    return (path for pattern in PASSING for path in sorted(home.rglob(pattern)))


def with_an_earlier_run(home: Path) -> Path:
    """Make a home that holds one record of another run, which nothing may harm."""
    store.write(EARLIER, home / store.RECORDS)
    return home


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder and its bytes; what is no regular file counts as empty."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }
