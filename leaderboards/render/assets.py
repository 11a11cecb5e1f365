"""The scripts and styles that the HTML page carries: ours, plotly's, and DataTables as itables bundles it."""

from __future__ import annotations

import base64
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from leaderboards.errors import RecordError

PACKAGES = ("jinja2", "itables", "plotly")


def missing() -> list[str]:
    """List the packages that the page needs and that are not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


@cache
def libraries() -> dict[str, str]:
    """Return scripts and styles by name; raises RecordError where a package is not installed."""
    if absent := missing():
        raise RecordError(f"the html board needs {', '.join(absent)}: pip install 'densedistill[boards]'")
    own, tables = Path(__file__).parent / "templates", _folder("itables") / "html"
    return {
        "style": (own / "style.css").read_text(encoding="utf-8"),
        "script": (own / "page.js").read_text(encoding="utf-8"),
        "plotly": (_folder("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8"),
        "tables_style": (tables / "dt_bundle.css").read_text(encoding="utf-8"),
        "tables": base64.b64encode((tables / "dt_bundle.js").read_bytes()).decode("ascii"),
    }


def _folder(package: str) -> Path:
    """Find the folder of an installed package without importing it, which would take a second."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise RecordError(f"the html board needs {package}: pip install 'densedistill[boards]'")
    return Path(spec.origin).parent
