"""``benchmark protocol check | plan``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.console import Console

app = typer.Typer(no_args_is_help=True, help="Hold records against a protocol, and plan the runs that it asks for.")
Name = Annotated[str, typer.Argument(help="quick, standard, or a plugin's.")]


@app.command()
def check(
    name: Name,
    paths: Annotated[list[Path] | None, typer.Argument(help="Homes of runs; runs/ when left out.")] = None,
    tasks: Annotated[list[str] | None, typer.Option("--task", help="Only these tasks; all by default.")] = None,
) -> None:
    """Say for each task whether its records can carry a comparison: five criteria, with their figures.

    The exit code is 1 where one is not met, or not known. Example: `benchmark protocol check standard runs/`.
    """
    from benchmark.commands.protocol import check as check_all

    raise typer.Exit(check_all(name, paths or [Path("runs")], tasks or [], Console(soft_wrap=True)))


@app.command()
def plan(
    name: Name,
    home: Annotated[Path, typer.Option(help="Where the runs are, and will be.")] = Path("runs"),
    published: Annotated[list[Path] | None, typer.Option(help="Records that need not be made again.")] = None,
    tasks: Annotated[list[str] | None, typer.Option("--task", help="Only these tasks; all by default.")] = None,
) -> None:
    """Print the commands that train what a protocol's matrix still lacks, in order, and how long each will take.

    Nothing is trained. Example: `benchmark protocol plan standard --published leaderboards/published`.
    """
    from benchmark.commands.plan import plan as plan_all

    raise typer.Exit(plan_all(name, home, published or [], tasks or [], Console(soft_wrap=True)))
