import io

import pytest
from rich.table import Table

from benchmark.console import Console, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("\x9b2J\u202eback", "\\x9b2J\\u202eback"),
        ("two\nlines\tand ä 実 👍🏽", "two\nlines\tand ä 実 👍🏽"),
    ],
)
def test_what_steers_a_terminal_is_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_no_text_steers_the_console() -> None:
    file = io.StringIO()
    console, table = Console(file=file, width=80), Table(title="a\x1b[2Jtitle")
    table.add_column("b\x1b[2J")
    table.add_row("c\x1b[2J")
    console.print(table)
    console.print("d\x1b[2J", markup=False)
    assert "\x1b" not in file.getvalue()
    assert all(f"{letter}\\x1b[2J" in file.getvalue() for letter in "abcd"[1:])
