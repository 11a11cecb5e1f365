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


@functools.cache
def git_state() -> tuple[str, bool | None]:
    """Commit of the source tree, and whether it was changed, read once a process; empty for an installed package.

    An environment inside another project's tree lies in that tree, but git does not track it.
    """
    file = Path(__file__)

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=file.parent, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", file.name)
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return "", None


def command() -> str:
    """The command line, ready to be pasted."""
    return shlex.join(["benchmark", *sys.argv[1:]])
