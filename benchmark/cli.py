"""The console command: ``benchmark run | tune | leaderboard | protocol | export | list | new | check | data``."""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from benchmark import cli_leaderboard, cli_protocol
from benchmark.console import Console
from leaderboards.errors import RecordError
from tasks.errors import InputError

# Everything that imports torch is imported inside the commands, so that --help answers at once.

app = typer.Typer(
    name="benchmark",
    help="DenseDistill, the benchmark of knowledge distillation for dense prediction.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
Words = Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="Configuration, as key=value words.")]


@app.command()
def run(
    words: Words = None,
    multirun: Annotated[bool, typer.Option("-m", "--multirun", help="Run every combination of comma lists.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be run, and run nothing.")] = False,
) -> None:
    """Train methods on a task, and write records, panels and boards.

    Examples: `benchmark run task=seg method=mgd`, `benchmark run method=[none,pixel,mgd] data.labeled=1/8`,
    `benchmark run -m seed=0,1,2 method=[none,mgd]`, `benchmark run method=[none,./my_kd.py:MyKD]`. A sweep prints its
    plan first, trains the teachers that are missing, then a cohort a job; `hydra/launcher=joblib`, `ray` or
    `submitit_slurm` says where.
    """
    from benchmark.commands.sweep import run_all

    raise typer.Exit(run_all(words or [], multirun, Console(soft_wrap=not sys.stdout.isatty()), dry_run))


@app.command()
def tune(
    words: Words = None,
    trials: Annotated[int, typer.Option(help="Values to try at first for every method; odd.")] = 5,
    span: Annotated[float, typer.Option(help="Largest value to try over the own one, at first.")] = 4.0,
    seeds: Annotated[int, typer.Option(help="Runs a value, each of its own seed.")] = 3,
) -> None:
    """Choose on images held out from the training split: of the control the learning rate, of methods the strength.

    Examples: `benchmark tune task=seg method=none`, then `benchmark tune task=seg method=[pixel,mgd] recipe.lr=0.004`,
    then `benchmark run task=seg method=mgd recipe.lr=0.004 tuning=runs/tuning`.
    """
    from benchmark.commands.tune import tune as tune_all

    raise typer.Exit(tune_all(words or [], trials, span, seeds, Console(soft_wrap=not sys.stdout.isatty())))


app.add_typer(cli_leaderboard.app, name="leaderboard")
app.add_typer(cli_protocol.app, name="protocol")


@app.command()
def export(
    record: Annotated[Path, typer.Argument(help="The record of a finished run.")],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="data.root=PATH, where a dataset needs it.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="torch-export or onnx.")] = "torch-export",
    out: Annotated[
        Path | None, typer.Option(help="The file to write; student.pt2 or .onnx beside the weights.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="HxW", help="Size of the images; that of the run's latency when left out.")
    ] = None,
) -> None:
    """Write a trained student as a file that runs without this package, and check it against the student.

    The file maps normalised images (N,3,H,W) to raw maps; a JSON file beside it says how to normalise them.
    The exit code is 1, and nothing is written, where the file computes something else.
    """
    from benchmark.commands.export import export as write

    raise typer.Exit(write(record, format_, out, size, words or [], Console(soft_wrap=True)))


@app.command(name="list")
def list_(
    what: Annotated[str, typer.Argument(help="tasks, methods, data, networks or teachers.")],
    name: Annotated[str | None, typer.Argument(help="One of them, also as PATH.py:CLASS: all about it.")] = None,
    home: Annotated[Path, typer.Option(help="Where runs keep their files, for teachers.")] = Path("runs"),
    plain: Annotated[bool, typer.Option("--plain", help="Only names, one a line, for scripts.")] = False,
) -> None:
    """List what there is to choose from."""
    from benchmark.commands.list_all import print_names, show

    if plain:
        print_names(what, name)
    else:
        show(what, name, home, Console())


@app.command()
def new(
    kind: Annotated[str, typer.Argument(help="method, task or network.")],
    name: Annotated[str, typer.Argument(help="What it is called, e.g. my_kd.")],
    package: Annotated[bool, typer.Option("--package", help="A distribution of its own, for pip.")] = False,
) -> None:
    """Write a method, a task or a network that works, and its test: a file to start from."""
    from benchmark.scaffold.write import write

    write(kind, name, package, Path.cwd(), Console(soft_wrap=True))


@app.command()
def check(
    words: Words = None,
    every: Annotated[bool, typer.Option("--all", help="Also print what is in order.")] = False,
) -> None:
    """Check whether a method, a task or a network keeps the suite's promises; a fault comes with its fix, exit code 1.

    Examples: `benchmark check method=my_kd`, `benchmark check method=my_kd task=[seg,depth]`, `benchmark check
    task=my_task`, `benchmark check student=./my_net.py:MyNet task=seg`.
    """
    from benchmark.commands.check import check as check_all

    raise typer.Exit(check_all(words or [], every, Console(soft_wrap=True)))


data = typer.Typer(no_args_is_help=True, help="Look at datasets and check them.")
app.add_typer(data, name="data")


@data.command()
def inspect(path: Annotated[Path, typer.Argument(help="A folder with images and annotations.")]) -> None:
    """Say what a folder holds, which datasets read it, and the command to run, or what is missing."""
    from benchmark.commands.data import inspect as look

    look(path, Console(soft_wrap=not sys.stdout.isatty()))


@data.command()
def preview(
    words: Words = None, out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("preview.png")
) -> None:
    """Write a contact sheet: images beside everything that they are annotated with."""
    from benchmark.commands.data import preview as draw

    draw(words or [], out, Console())


@data.command()
def verify(words: Words = None) -> None:
    """Read a dataset whole, and print a summary or every fault."""
    from benchmark.commands.data import verify as check

    raise typer.Exit(check(words or [], Console(soft_wrap=True)))


def main() -> None:
    """Run the command; bad input is one clear message and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no arrows gets their names
    sys.exit(guarded(lambda: app(standalone_mode=False)))


def guarded(command: Callable[[], object]) -> int:
    """Call a command and turn what goes wrong into an exit code: 2 for bad input, 128 and its number for a signal."""
    error_console = Console(stderr=True, soft_wrap=True)
    try:
        done = command()
    except (InputError, RecordError) as error:
        error_console.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False)
        return 2
    except typer.Exit as left:
        return left.exit_code
    except typer.Abort:
        return 130
    except KeyboardInterrupt:
        error_console.print("stopped; the same command goes on from the last saved step")
        return 130
    except Exception as error:
        if usage := _usage(error) or _unwritable(error):
            error_console.print(f"[bold red]error:[/] {escape(usage)}", highlight=False)
            return 2
        from benchmark.commands.execute import ended

        if (result := ended(error)) is None:
            raise
        error_console.print(escape(result.said), highlight=False)
        return result.code
    return done if isinstance(done, int) else 0


def _unwritable(error: Exception) -> str | None:
    """What to say where a file cannot be read or written, or the disk is full."""
    if not isinstance(error, OSError) or error.errno not in UNWRITABLE:
        return None
    where = f"{error.filename}: " if error.filename else ""
    if isinstance(error, PermissionError):
        return f"{where}no permission ({error.strerror}); give it, or choose another file or home"
    return (
        f"{where}cannot be written ({error.strerror}); make room or choose another home, then the same command goes on"
    )


def _usage(error: Exception) -> str | None:
    """The message of an error of the command line itself."""
    message = getattr(error, "format_message", None)
    return str(message()) if callable(message) else None
