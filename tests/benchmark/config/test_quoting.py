"""Words that Hydra reads back as they were meant."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark.config.quoting import quoted, word

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20)


def read(text: str) -> object:
    return OverridesParser.create().parse_override(text).value()


@given(TEXTS | st.text("\\\"' ab$[]{},=", min_size=1))
@example(r"drive_\d+")
@example("c:\\")
def test_quoted_texts_are_read_as_they_were(text: str) -> None:
    assert read(f"key={quoted(text)}") == text


@given(st.lists(st.text("\\\"' a/.py:B", min_size=1), min_size=1, max_size=3))
def test_so_are_lists_of_them(texts: list[str]) -> None:
    assert read(f"key=[{','.join(map(quoted, texts))}]") == texts


@pytest.mark.parametrize(
    ("value", "expected"),
    [("runs/a-b.c", "home=runs/a-b.c"), ("my runs", 'home="my runs"'), (3, "home=3"), ("läufe", 'home="läufe"')],
)
def test_only_what_needs_quotes_gets_them(value: object, expected: str) -> None:
    assert word("home", value) == expected
