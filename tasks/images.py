"""Pictures as bytes."""

from __future__ import annotations

import io

from PIL import Image


def encode_png(picture: Image.Image) -> bytes:
    """Encode a picture as PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
