"""Video attention on real frames: an indoor sequence cut into clips, where people look at what is near."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from benchmark.commands.data import preview, verify
from benchmark.config import compose
from benchmark.run import Run
from tests.support import TINY

CLIPS, FRAMES, SIZE = 10, 6, (160, 120)


def lay_out(source: Path, root: Path) -> None:
    """Cut a sequence of colour and depth images into clips; the density is the inverse depth, a point its peak."""
    images = sorted(source.glob("*.color.jpg"))
    for number, image in enumerate(images[: CLIPS * FRAMES]):
        clip, frame = f"{number // FRAMES:02d}", f"{number % FRAMES:04d}.png"
        colour = cv2.imread(str(image))
        depth = cv2.imread(str(image).replace(".color.jpg", ".depth.png"), cv2.IMREAD_UNCHANGED)
        known = (depth > 0) & (depth < 65535)
        near = np.where(known, 500.0 / np.where(known, depth, 1), 0.0).clip(0, 1) ** 2
        near = cv2.GaussianBlur(cv2.resize(near, SIZE, interpolation=cv2.INTER_AREA), (0, 0), 4)
        peak = np.zeros_like(near, np.uint8)
        peak[np.unravel_index(near.argmax(), near.shape)] = 255
        pictures = {
            "frames": cv2.resize(colour, SIZE, interpolation=cv2.INTER_AREA),
            "maps": (255 * near / near.max()).astype(np.uint8),
            "points": peak,
        }
        for folder, picture in pictures.items():
            (root / folder / clip).mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(root / folder / clip / frame), picture)


@pytest.mark.realdata
def test_real_clips_are_read_seen_and_learned(realdata: Callable[[str], str], tmp_path: Path) -> None:
    root, home = tmp_path / "clips", tmp_path / "runs"
    lay_out(Path(realdata("rgbd")), root)
    words, said = ["data=clipfolder", f"data.root={root}", "data.points=points"], io.StringIO()
    assert verify([*words, "task=attention"], Console(file=said, width=200)) == 0, said.getvalue()
    assert f"{FRAMES * CLIPS * 7 // 10}" in said.getvalue()
    preview([*words, "task=attention"], tmp_path / "preview.png", Console(file=said))
    sheet = np.asarray(Image.open(tmp_path / "preview.png").convert("RGB"))
    assert sheet.std() > 20

    few = [word for word in TINY if not word.startswith("data.")]
    learned = ["task=attention", "method=[none,coupled]", "data.size=64", f"home={home}"]
    config = compose.load([*few, *words, *learned])
    for record in Run(config, Console(file=io.StringIO())).execute():
        assert record.status == "ok", record.status_reason
        scores = {name: each.value for name, each in record.scores.metrics.items()}
        assert scores["points"] == 1.0
        assert np.isfinite([scores[name] for name in ("nss", "auc_j", "sauc", "cc", "sim", "kl")]).all()
        assert 0 <= scores["auc_j"] <= 1
        panel = np.asarray(Image.open(home / str(record.artifacts.panel)).convert("RGB"))
        assert panel.std() > 20
