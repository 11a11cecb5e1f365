"""Records to boards in all formats: time and peak memory at 1 000, 3 000 and 10 000 records.

    python perf/boards.py [COUNT ...]

Each count runs in a process of its own: records are written, read back, aggregated and rendered to every format. The
records are those of a large project: tracks of 20 methods with 5 seeds, 12 test metrics and 128 values of images a run,
distinct provenance.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from leaderboards import image_values, store
from leaderboards.record import Record
from leaderboards.values import digest
from leaderboards.write import write_boards

COUNTS = (1_000, 3_000, 10_000)
METHODS, SEEDS, METRICS, IMAGES = 20, 5, 12, 128


def made(number: int) -> Record:
    """Make the record with a number: seeds vary first, then methods, then tracks."""
    seed, method = number % SEEDS, number // SEEDS % METHODS
    track = number // (SEEDS * METHODS)
    draw = random.Random(number)
    setting, name = digest(["setting", track])[:12], "none" if method == 0 else f"method-{method}"
    config = {"method": name, "seed": seed, "track": track, "options": {f"option_{i}": i / 7 for i in range(30)}}
    teacher = digest(["teacher", track])[:12]
    return Record.model_validate(
        {
            "run_id": digest(["run", number])[:16],
            "entry_id": digest(["entry", track, method])[:16],
            "track_id": setting + "-steps",
            "setting_id": setting,
            "status": "ok",
            "seed": seed,
            "deterministic": True,
            "task": {"name": f"task-{track % 5}", "title": f"Task {track % 5}", "options": {"size": [96, 96]}},
            "dataset": {
                "name": f"data-{track // 5}",
                **{"n_train": 512, "n_val": 64, "n_test": 128, "manifest_sha256": digest(["data", track])},
                "labeled": {"name": "1/8", "count": 64, "total": 512, "checksum": digest(track)},
            },
            "method": {
                **{"name": name, "title": f"Method {method}", "paper": "Somebody, Somewhere 2020", "package": "p"},
                **{"control": method == 0, "roles": {} if method == 0 else {"deep": teacher}, "version": "1.0"},
                **{"options": {f"weight_{i}": i / 3 for i in range(6)}, "weights": {"supervised": 1.0, "kd": 0.5}},
            },
            "student": {"decoder": "fpn", "encoder": "mobilenetv3", "init": "scratch"},
            "teachers": [
                {"id": teacher, "role": "deep", "encoder": "resnet50", "own_score": 0.7, "params": 26_000_000}
            ],
            "protocol": {"recipe": {"steps": 600, "batch": 8, "lr": 0.01}, "budget": {"kind": "steps", "steps": 600}},
            "scores": {
                "primary_metric": "metric_0",
                "metrics": {
                    f"metric_{i}": {
                        **{"value": 0.5 + 0.01 * method + draw.gauss(0, 0.01), "higher_is_better": True},
                        **{"split": "test", "n": 128},
                    }
                    for i in range(METRICS)
                },
            },
            "inference": {"params": 1_200_000, "macs": 310_000_000, "latency_ms_p50": 8.0, "latency_ms_p95": 9.0},
            "training": {"wall_s": 60 + method + draw.random(), "step_ms_p50": 100 * draw.random()},
            "diagnostics": {"gradient_ratios": {"kd": draw.random()}},
            "provenance": {
                **{"config": config, "config_sha256": digest(config), "student_sha256": digest(["student", number])},
                **{"versions": {f"package-{i}": f"1.{i}" for i in range(10)}, "git_sha": "0" * 40},
                **{"started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:10:00Z"},
                "command": f"benchmark run task=task-{track % 5} method={name} seed={seed}",
            },
        }
    )


def with_images(record: Record, number: int, folder: Path) -> Record:
    """Write what a run scores on each image, and name it in the record."""
    draw, score = random.Random(f"images {number}"), record.score or 0.0
    values = [score + draw.gauss(0, 0.1) for _ in range(IMAGES)]
    sha = image_values.write("metric_0", list(map(str, range(IMAGES))), values, record.run_id, folder)
    return record.model_copy(update={"scores": record.scores.model_copy(update={"images_sha256": sha})})


def measure(count: int) -> None:
    """Print seconds, megabytes and sizes for one count of records."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / store.RECORDS).mkdir()
        for number in range(count):
            record = made(number)
            store.write(with_images(record, number, home / store.RECORDS), home / store.RECORDS)
        start = time.perf_counter()
        records, faults = store.read([home])
        read = time.perf_counter() - start
        paths = write_boards(records, home / "leaderboards", faults=faults, sources=[home])
        total = time.perf_counter() - start
        sizes = ", ".join(f"{path.suffix[1:]} {path.stat().st_size / 1e6:.1f} MB" for path in paths)
    if len(records) != count or faults:
        raise SystemExit(f"{count} records were written, {len(records)} read, {len(faults)} faults")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    each = 1e3 * total / count
    print(f"{count:6d} records  {total:6.1f} s (reading {read:.1f} s)  {each:.2f} ms each  {memory:5.0f} MiB  {sizes}")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        measure(int(sys.argv[1]))
    else:
        for each in map(int, sys.argv[1:]) if sys.argv[1:] else COUNTS:
            subprocess.run([sys.executable, __file__, str(each)], check=True)
