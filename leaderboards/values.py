"""The kinds of values that records hold, and the hashes of a JSON value and of a file."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue

Status = Literal["ok", "failed", "diverged", "interrupted", "timeout", "missing", "not_applicable"]
SelectionRule = Literal["last", "best"]
Level = Literal["L0", "L1", "L2", "L3", "L4"]


def finite(value: Any) -> Any:
    """Replace NaN and infinities by None, inside lists and mappings too: strict JSON has no word for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value in canonical form (sorted keys, no spaces), in hexadecimal."""
    text = json.dumps(finite(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


LARGEST = 1e150  # of a measurement: squares and sums of such numbers are numbers
Real = Annotated[Annotated[float, Field(ge=-LARGEST, le=LARGEST)] | None, BeforeValidator(finite)]
Options = Annotated[dict[str, JsonValue], BeforeValidator(finite)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)]
RelativePath = Annotated[str, Field(pattern=r"^(?!/)(?!.*(^|/)\.\.(/|$))[^\\]+$")]
Count = Annotated[int, Field(ge=0, le=2**53)]  # what every reader of JSON takes for the same number
Amount = Annotated[Annotated[float, Field(ge=0, le=LARGEST)] | None, BeforeValidator(finite)]
Share = Annotated[Annotated[float, Field(ge=0, le=1)] | None, BeforeValidator(finite)]
