"""Words that name a file, ``method=./my_kd.py:MyKD``: the file is read, and its class takes the word's place."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmark.config import catalog
from benchmark.config.quoting import quoted

KEY = "files"  # of the configuration: every file that it needs, so that another process can read them again
FREE = r"""[^\s\[\](),'"]"""  # characters that need no quotes
TOKEN = re.compile(
    rf"""(?P<quote>['"])(?P<quoted>[^'"]+\.py(?::[^'"]*)?)(?P=quote)"""
    rf"""|(?P<plain>{FREE}[^\[\](),'"]*\.py(?::{FREE}*)?)(?=\s*(?:[\]),]|$))"""
)


def read_files(words: Sequence[str]) -> list[str]:
    """Register the classes of all files that words name, and return words that hold in any process.

    ``method=[none,./my_kd.py:MyKD]`` becomes ``method=[none,my_kd]`` and ``files=["/here/my_kd.py:MyKD"]``.
    Raises InputError.
    """
    files: dict[str, None] = {}

    def replace(word: str) -> str:
        key, equals, value = word.partition("=")
        if catalog.registry_of(key) is None:
            return word

        def name(token: re.Match[str]) -> str:
            entered, reference = catalog.enter_file(token["quoted"] or token["plain"], key)
            files[reference] = None
            return entered

        return f"{key}{equals}{TOKEN.sub(name, value)}"

    for word in words:
        if word.startswith(f"{KEY}="):
            for token in TOKEN.finditer(word.partition("=")[2]):
                files[catalog.enter_file(token["quoted"] or token["plain"])[1]] = None
    rest = [replace(word) for word in words if not word.startswith(f"{KEY}=")]
    return [*rest, f"{KEY}=[{','.join(map(quoted, files))}]"] if files else rest
