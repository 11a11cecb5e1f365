"""Names of classes: which line is a header, and which is a class."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.datasets.reading.names import read_names
from tasks.errors import InputError
from tests.tasks.datasets.own_layouts import text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("stop\npriority\nspeed limit 30\n", [("stop", 0), ("priority", 1), ("speed limit 30", 2)]),
        ("red\namber\n4 green\n", [("red", 0), ("amber", 1), ("green", 4)]),
        ("0\n1\n2\n", [("0", 0), ("1", 1), ("2", 2)]),
        ("1\n2\n0\n", [("1", 0), ("2", 1), ("0", 2)]),
        ("1 road\n2 sky\n", [("road", 1), ("sky", 2)]),
        ("Pixel Value, Class\n0, background\n3, cup\n", [("background", 0), ("cup", 3)]),
        ("class_name,r,g,b\nsky,1,2,3\nroad,4,5,6\n", [("sky", 0), ("road", 1)]),
        ("label name\n7 sky\n8 road\n", [("sky", 7), ("road", 8)]),
    ],
)
def test_the_first_line_is_left_out_where_it_names_columns(
    content: str, expected: list[tuple[str, int]], tmp_path: Path
) -> None:
    found = read_names(text(tmp_path / "classes.csv", content))
    assert [(each.name, each.label) for each in found] == expected


def test_a_number_among_names_is_no_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"classes.txt: expected a name, .*, found '7'; mend the line"):
        read_names(text(tmp_path / "classes.txt", "cat\n7\n"))
