"""What ``benchmark run`` does with one configuration: run it, then show and write what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from benchmark import table
from benchmark.boards import write_home
from benchmark.interrupt import Interrupted
from benchmark.run import Run
from benchmark.schema import Config
from benchmark.teachers import TeacherError
from leaderboards import store
from leaderboards.record import Record

STOPPED = 130  # as a shell reports SIGINT


def execute(config: Config, console: Console) -> int:
    """Run a configuration; return 0 when all went well, 1 when a run failed, 130 when it was stopped."""
    run = Run(config, console)
    try:
        records = run.execute()
    except Interrupted as stopped:
        console.print(escape(f"{stopped}; the same command goes on from there"), highlight=False)
        return STOPPED
    except TeacherError as error:
        console.print(escape(str(error)), highlight=False)
        return 1
    table.show(records, console)
    _show_paths(records, Path(config.home), console)
    write_home(Path(config.home), console)
    return 0 if all(record.status == "ok" for record in records) else 1


def _show_paths(records: Sequence[Record], home: Path, console: Console) -> None:
    for record in records:
        console.print(escape(f"record   {home / store.RECORDS / record.run_id}.json"), highlight=False)
        for name in ("student", "panel"):
            path = getattr(record.artifacts, name)
            if path is not None:
                console.print(escape(f"{name:8} {home / path}"), highlight=False)
