"""How to get the same result again: code, versions, command."""

from __future__ import annotations

import functools
import importlib.metadata
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from leaderboards.values import digest

PACKAGES = (
    "densedistill",
    "torch",
    "torchvision",
    "timm",
    "segmentation-models-pytorch",
    "albumentations",
    "opencv-python-headless",
    "lightning-fabric",
    "numpy",
    "hydra-core",
)


@functools.cache
def versions() -> Mapping[str, str]:
    """Versions of what computes results, read once."""
    return {"python": sys.version.split()[0], **{name: importlib.metadata.version(name) for name in PACKAGES}}


def lock_sha256() -> str:
    """Hash the list of all installed distributions and their versions."""
    return _lock_sha256(tuple(sys.path))


@functools.cache
def _lock_sha256(path: tuple[str, ...]) -> str:
    """Hash what is installed along ``path``, once: reading hundreds of distributions takes longer than a tiny run."""
    return digest(sorted({f"{d.name}=={d.version}" for d in importlib.metadata.distributions(path=list(path))}))


def git_state() -> tuple[str, bool | None]:
    """Commit of the source tree, and whether it was changed; empty for an installed package."""
    folder = Path(__file__).parent
    try:
        sha = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
        changed = subprocess.run(
            ["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "", None
    return sha.stdout.strip(), bool(changed.stdout.strip())


def command() -> str:
    """The command line, ready to be pasted."""
    return shlex.join(["benchmark", *sys.argv[1:]])
