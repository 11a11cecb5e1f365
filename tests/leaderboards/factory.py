"""Records made by hand: a small track whose numbers a test chooses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from leaderboards.record import Record
from leaderboards.values import digest

TEACHER = 0.60
PUBLISHED = Path(__file__).parents[2] / "leaderboards" / "published"


def record(method: str = "none", seed: int = 0, score: float | None = 0.5, **changes: Any) -> Record:
    """Make the record of one run.

    Options: ``task``, ``title``, ``dataset``, ``labels``, ``budget``, ``metric``, ``higher``, ``teacher`` (own score),
    ``status``, ``reason``, ``metrics`` (further ones: name -> (value, higher is better)), ``options``, ``variant``,
    ``train_s``, ``run_id``; anything else replaces a field of the record.
    """
    take = changes.pop
    task, dataset, labels = take("task", "seg"), take("dataset", "scenes"), take("labels", (64, 512))
    budget, metric, higher = take("budget", "steps"), take("metric", "miou"), take("higher", True)
    options, variant, teacher = take("options", {}), take("variant", ""), take("teacher", TEACHER)
    setting = f"{slug(task)}-{slug(dataset)}-{labels[0]}"
    entry = "-".join(
        [
            setting,
            budget,
            slug(method),
            *([digest(options)[:6]] if options else []),
            *([slug(variant)] if variant else []),
        ]
    )
    found = {metric: (score, higher)} | take("metrics", {})
    control = method == "none"
    fields: dict[str, Any] = {
        "run_id": take("run_id", f"{entry}-{seed}"),
        "entry_id": entry,
        "track_id": f"{setting}-{budget}",
        "setting_id": setting,
        "status": take("status", "ok"),
        "status_reason": take("reason", ""),
        "seed": seed,
        "deterministic": True,
        "task": {"name": task, "title": take("title", task.capitalize())},
        "dataset": {
            "name": dataset,
            "n_train": labels[1],
            "n_val": 64,
            "n_test": 128,
            "labeled": {"name": f"{labels[0]}/{labels[1]}", "count": labels[0], "total": labels[1], "checksum": "00ff"},
        },
        "method": {
            "name": method,
            "title": f"Method {method}",
            "paper": "" if control else "Somebody, Somewhere 2020",
            "control": control,
            "variant": variant,
            "options": options,
            "package": "densedistill",
            "version": "0.1.0",
            "roles": {} if control else {"deep": "teacher-deep"},
        },
        "student": {"decoder": "fpn", "encoder": "mobilenetv3", "init": "scratch"},
        "teachers": [
            {
                "id": "teacher-deep",
                "role": "deep",
                "decoder": "fpn",
                "encoder": "resnet50",
                "own_score": teacher,
                "own_metrics": {metric: teacher},
                "params": 26_000_000,
                "macs": 9_000_000_000,
            }
        ],
        "protocol": {"recipe": {"steps": 600, "batch": 8}, "budget": {"kind": budget, "steps": 600}},
        "scores": {
            "primary_metric": metric,
            "metrics": {
                name: {"value": value, "higher_is_better": up, "split": "test", "n": 128}
                for name, (value, up) in found.items()
                if value is not None
            },
        },
        "inference": {"params": 1_200_000, "macs": 310_000_000, "latency_ms_p50": 8.1, "latency_ms_p95": 9.3},
        "training": {"wall_s": take("train_s", 60.0), "step_ms_p50": 100.0, "peak_mem_mb": 900.0},
    }
    return Record.model_validate(fields | changes)


def slug(name: str) -> str:
    """Keep of a name what an id may hold."""
    return re.sub(r"[^A-Za-z0-9]+", "", name) or "x"


def seeds(method: str, *scores: float | None, **changes: Any) -> list[Record]:
    """Make one finished run a score, for seeds 0, 1, 2, ..."""
    return [record(method, seed, score, **changes) for seed, score in enumerate(scores)]
