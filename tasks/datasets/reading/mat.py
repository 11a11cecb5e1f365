"""MATLAB files up to version 7.2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tasks.datasets.reading.files import fault, reason


def read_mat(path: Path, *fields: str) -> np.ndarray:
    """Read one variable of a .mat file, or a field within it: ``read_mat(path, "image_info", "location")``.

    Cells and structs of one element are unpacked and dimensions of length 1 dropped. Raises InputError where the file
    cannot be read or lacks the variable or field.
    """
    value: Any = read_all(path, *fields)
    for field in fields:
        known = value if isinstance(value, dict) else vars(value) if hasattr(value, "_fieldnames") else {}
        if field not in known:
            there = ", ".join(name for name in known if not name.startswith("_")) or "no fields"
            raise fault(path, f"a MATLAB file with {'.'.join(fields)}", there)
        value = known[field]
    return np.asarray(value)


def read_all(path: Path, *expected: str) -> dict[str, Any]:
    """Read all variables of a .mat file, unpacked likewise; ``expected`` fields are for the message of the error."""
    from scipy.io import loadmat  # takes a second, so not at the top

    try:
        with path.open("rb") as file:
            return dict(loadmat(file, squeeze_me=True, struct_as_record=False))
    except Exception as error:  # SciPy's reader raises a dozen types on damaged files
        what = f"a MATLAB file with {'.'.join(expected)}" if expected else "a MATLAB file"
        raise fault(path, what, reason(error)) from None
