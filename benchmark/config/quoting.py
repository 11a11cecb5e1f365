"""Values in words of the command line, quoted so that Hydra reads back what was meant."""

from __future__ import annotations

import re
from typing import Any

PLAIN = re.compile(r"[\w./:-]+", re.ASCII)  # what Hydra reads as it is
ESCAPED = re.compile(r'(\\*)("|$)')  # a quotation mark, and backslashes before one or at the end


def word(key: str, value: Any) -> str:
    """Write ``key=value``; text that Hydra would not read as it is goes between quotes."""
    text = str(value)
    return f"{key}={text if not isinstance(value, str) or PLAIN.fullmatch(text) else quoted(text)}"


def quoted(text: str) -> str:
    """Put a text between quotes."""
    return '"' + ESCAPED.sub(lambda match: 2 * match[1] + match[2].replace('"', '\\"'), text) + '"'
