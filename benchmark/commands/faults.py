"""What is wrong with stored records, in words."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from leaderboards.store import Fault


def show_faults(faults: Sequence[Fault], console: Console) -> None:
    """Print a line for every fault, and one for all runs that two places have without a contradiction."""
    repeated = [fault for fault in faults if fault.kind == "duplicate"]
    lines = [str(fault) for fault in faults if fault.kind != "duplicate"]
    if len(repeated) == 1:
        lines.append(str(repeated[0]))
    elif repeated:
        lines.append(f"{len(repeated)} runs were read twice, without a contradiction; the first is {repeated[0].file}")
    for line in lines:
        console.print(f"[yellow]warning:[/] {escape(line)}", highlight=False)
