"""The terminal, and what may not steer it: texts come from records, files and plugins."""

from __future__ import annotations

import re
from typing import Any

import rich.console
from rich.text import Text

STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")  # \t and \n are text


def visible(text: str) -> str:
    """Write control and direction characters as what they are, ``\\x1b`` for an escape."""
    return STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


class Console(rich.console.Console):
    """A console whose styles are ours alone: characters of a text that would steer the terminal are made visible."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Turn a string into what is shown."""
        return super().render_str(visible(text), **options)
