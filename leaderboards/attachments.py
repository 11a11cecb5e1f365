"""The files of runs that a page can show: training curves and panels."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leaderboards.record import Record
from leaderboards.store import RECORDS, Fault

POINTS = 60  # of a thinned curve
PANEL_BYTES = 24_000_000  # all panels of a page together
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Attachment:
    """What is shown of one run: curves (name -> steps and values, thinned) and the picture of predictions, PNG."""

    curves: Mapping[str, tuple[list[int], list[float]]]
    panel: bytes | None = None


def collect(records: Iterable[Record], paths: Iterable[str | Path]) -> tuple[dict[str, Attachment], list[Fault]]:
    """Read curves and panels of one finished run an entry, its first seed, where the files lie.

    ``paths`` are the files and folders that the records were read from. A file that cannot be understood is a fault;
    panels beyond ``PANEL_BYTES`` in all are left out, which is a fault as well.
    """
    homes = list(dict.fromkeys(map(home, paths)))
    attached: dict[str, Attachment] = {}
    faults: list[Fault] = []
    seen: set[bytes] = set()  # the runs of a cohort may share one picture
    room = PANEL_BYTES
    for record in firsts(records):
        curves = _curves(_locate(record.artifacts.steps, homes), faults)
        panel = _panel(_locate(record.artifacts.panel, homes), room, faults)
        if panel is not None and panel not in seen:
            room -= len(panel)
            seen.add(panel)
        if curves or panel:
            attached[record.run_id] = Attachment(curves, panel)
    return attached, faults


def _curves(path: Path | None, faults: list[Fault]) -> dict[str, tuple[list[int], list[float]]]:
    try:
        return {} if path is None else read_curves(path)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        faults.append(Fault(str(path), f"not a log of steps: {type(error).__name__}: {error}"))
        return {}


def _panel(path: Path | None, room: int, faults: list[Fault]) -> bytes | None:
    if path is None:
        return None
    picture = path.read_bytes()
    if not picture.startswith(PNG):
        faults.append(Fault(str(path), "not a PNG file"))
    elif len(picture) > room:
        faults.append(Fault(str(path), f"left out: a page holds {PANEL_BYTES // 10**6} MB of panels", "invalid"))
    else:
        return picture
    return None


def home(path: str | Path) -> Path:
    """Return the folder that artifacts lie below, of records given as a file, a folder of records or its home."""
    folder = Path(path)
    folder = folder.parent if folder.is_file() else folder
    return folder.parent if folder.name == RECORDS else folder


def read_curves(path: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Read a log of steps, one JSON object a line with ``step`` and numbers, and thin each curve."""
    curves: dict[str, tuple[list[int], list[float]]] = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            values = json.loads(line)
            step = int(values.pop("step"))
            for name, value in values.items():
                if isinstance(value, int | float) and math.isfinite(value):
                    steps, numbers = curves.setdefault(name, ([], []))
                    steps.append(step)
                    numbers.append(float(value))
    return {name: thin(*curve) for name, curve in curves.items()}


def thin(steps: Sequence[int], values: Sequence[float], points: int = POINTS) -> tuple[list[int], list[float]]:
    """Replace a curve by the means of at most ``points`` equal stretches, values to five digits."""
    size = max(1, math.ceil(len(steps) / points))
    starts = range(0, len(steps), size)
    middles = [steps[min(start + (size - 1) // 2, len(steps) - 1)] for start in starts]
    means = [math.fsum(values[start : start + size]) / len(values[start : start + size]) for start in starts]
    return middles, [float(f"{mean:.5g}") for mean in means]


def firsts(records: Iterable[Record]) -> list[Record]:
    """Return the finished run of the smallest seed of each entry, sorted by run id."""
    firsts: dict[str, Record] = {}
    for record in sorted(records, key=lambda record: (record.seed, record.run_id)):
        if record.status == "ok":
            firsts.setdefault(record.entry_id, record)
    return sorted(firsts.values(), key=lambda record: record.run_id)


def _locate(path: str | None, homes: Iterable[Path]) -> Path | None:
    if path is None:
        return None
    return next((file for folder in homes if (file := folder / path).is_file()), None)
