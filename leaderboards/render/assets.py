"""The scripts and styles that the HTML page carries: ours, plotly's, and DataTables as itables bundles it."""

from __future__ import annotations

import base64
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from leaderboards.errors import RecordError


@cache
def libraries() -> dict[str, str]:
    """Return scripts and styles by name."""
    templates, tables = Path(__file__).parent / "templates", _folder("itables") / "html"
    return {
        "style": (templates / "style.css").read_text(encoding="utf-8"),
        "script": (templates / "page.js").read_text(encoding="utf-8"),
        "plotly": (_folder("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8"),
        "tables_style": (tables / "dt_bundle.css").read_text(encoding="utf-8"),
        "tables": base64.b64encode((tables / "dt_bundle.js").read_bytes()).decode("ascii"),
    }


def _folder(package: str) -> Path:
    """Find the folder of an installed package without importing it, which would take a second."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise RecordError(f"the html board needs {package}: pip install {package}")
    return Path(spec.origin).parent
