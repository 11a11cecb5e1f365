from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def realdata() -> Callable[[str], str]:
    """Give the folder of a small real dataset, or skip."""

    def folder(name: str) -> str:
        root = os.environ.get("DENSEDISTILL_DATA")
        if root is None or not (Path(root) / name).is_dir():
            pytest.skip(f"DENSEDISTILL_DATA holds no {name}")
        return str(Path(root) / name)

    return folder
