"""``benchmark leaderboard`` and its commands; ``benchmark leaderboard PATHS`` alone writes boards."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from benchmark.console import Console


class DefaultToWrite(TyperGroup):
    """A group in which arguments that begin with the name of no command are those of ``write``.

    So ``group PATH --out FOLDER`` is short for ``group write PATH --out FOLDER``, and ``group`` alone for
    ``group write``. A path that bears the name of a command is reached by the long form, or as ``./validate``.
    """

    default = "write"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command before arguments that name none and do not ask for help."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [self.default, *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


app = typer.Typer(
    cls=DefaultToWrite,
    rich_markup_mode="markdown",
    subcommand_metavar="[write|statements|claims|validate|verify|publish] PATHS...",
    help="Turn records into boards, and check records.\n\n"
    "`benchmark leaderboard PATHS` is short for `benchmark leaderboard write PATHS`.",
)
Paths = Annotated[list[Path] | None, typer.Argument(help="Folders or files with records; runs/ when left out.")]


@app.command()
def write(
    paths: Paths = None,
    out: Annotated[Path | None, typer.Option(help="Where the boards go; the first folder's leaderboards/.")] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="md, csv, json, html or svg; several times for several; all but svg by default."),
    ] = None,
) -> None:
    """Turn records into boards: one a track, as markdown, CSV, JSON and a page that opens offline."""
    from benchmark.commands.boards import write_all
    from leaderboards.write import USUAL

    raise typer.Exit(write_all(paths or [Path("runs")], out, Console(soft_wrap=True), formats or USUAL))


@app.command()
def publish(
    homes: Annotated[list[Path], typer.Argument(help="The folders that runs were written to.")],
    to: Annotated[Path, typer.Option(help="The folder to publish in; its records, curves and panels are replaced.")],
    tasks: Annotated[list[str] | None, typer.Option("--task", help="Only these tasks; all by default.")] = None,
) -> None:
    """Copy finished records, with the curves and pictures that a page shows, into a folder that git can keep.

    What the folder says about itself, `about.json`, stays as it is. Name it among the homes to add runs to what it has.
    """
    from leaderboards.about import read
    from leaderboards.publish import publish as copy

    written = copy(homes, to, tasks or [])
    console = Console(soft_wrap=True)
    console.print(f"{len(written)} records in {to}", markup=False, highlight=False)
    if title := read([to]).title:
        console.print(f"their boards are headed: {title}", markup=False, highlight=False)


@app.command()
def statements(paths: Paths = None) -> None:
    """Say of every board which gains over the student alone lie above, below and around zero, with their intervals."""
    from benchmark.commands.boards import print_statements

    raise typer.Exit(print_statements(paths or [Path("runs")], Console(stderr=True, soft_wrap=True)))


@app.command()
def claims(
    paths: Paths = None,
    claims: Annotated[Path | None, typer.Option(help="The claims; claims.json beside the first records.")] = None,
    out: Annotated[Path | None, typer.Option(help="The page to write; printed when left out.")] = None,
) -> None:
    """Hold the claims of papers against records: our setting, the numbers, and a verdict."""
    from benchmark.commands.boards import write_claims

    raise typer.Exit(write_claims(paths or [Path("runs")], claims, out, Console(stderr=True, soft_wrap=True)))


@app.command()
def validate(paths: Paths = None) -> None:
    """Check schema, hashes and consistency of records; name every fault, and exit with 1 where there are any."""
    from benchmark.commands.boards import validate_all

    raise typer.Exit(validate_all(paths or [Path("runs")], Console(soft_wrap=True)))


@app.command()
def verify(
    records: Annotated[
        list[str], typer.Argument(help="Records or folders of them, and key=value words: data.root, device.")
    ],
    tolerance: Annotated[
        float | None,
        typer.Option(
            help="Largest difference that counts as the same, relative to the score or to 1.  [default: 1e-4]"
        ),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who checks, for the record; this package when left out.")] = None,
) -> None:
    """Score the stored students again on their data, and write the outcome into the records (level L3).

    The exit code is 1 where a score is not reproduced, 2 where a record could not be checked.
    """
    from benchmark.commands.verify import verify_all

    console = Console(soft_wrap=not sys.stdout.isatty())
    raise typer.Exit(verify_all(records, console, tolerance=tolerance, by=by))
