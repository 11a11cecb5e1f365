"""The files of a folder and of all folders below it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tasks.errors import InputError

SHOWN = 3


def files_below(root: Path) -> list[Path]:
    """List all files, sorted, without hidden ones; what lies behind links is listed where it is linked.

    Raises InputError for links that lead out of the root: what a set consists of must not depend on other places.
    """
    top = root.resolve()
    found: list[Path] = []
    outside: list[tuple[Path, Path]] = []
    seen: set[Path] = set()
    for folder, names, files in os.walk(root, followlinks=True):
        here = Path(folder)
        real = here.resolve()
        if real in seen:  # a link to a folder above
            names.clear()
            continue
        seen.add(real)
        for name in [*names, *files]:
            path = here / name
            if path.is_symlink() and not path.resolve().is_relative_to(top):
                outside.append((path, path.resolve()))
        leaving = {path.name for path, _ in outside if path.parent == here}
        names[:] = sorted(name for name in names if not name.startswith((".", "__MACOSX")) and name not in leaving)
        found += [here / name for name in files if not name.startswith(".") and name not in leaving]
    if outside:
        path, target = min(outside)
        more = f", and {len(outside) - 1} more" if len(outside) > 1 else ""
        raise InputError(
            f"{path}: expected links that stay within data.root={root}, found one to {target}{more}; set data.root to "
            "a folder that holds both, or copy the files"
        )
    return sorted(found)


def chosen(root: Path, place: str, option: str) -> list[Path]:
    """List the files that an option names, relative to ``root``: a folder, with all below it, a file or a pattern.

    Raises InputError where there is none; it says where was looked and what was there.
    """
    path = root / Path(place).expanduser()
    if path.is_file():
        found = [path]
    elif path.is_dir():
        found = files_below(path)
    elif any(mark in place for mark in "*?["):
        try:
            found = sorted(each for each in root.glob(place) if each.is_file())
        except (ValueError, NotImplementedError) as error:
            raise InputError(f"data.{option}={place}: expected a pattern within data.root; {error}") from None
    else:
        found = []
    if not found:
        raise InputError(
            f"data.{option}={place}: expected a folder, a file or a pattern such as '*/images/*.jpg', relative to "
            f"data.root={root}, with files in it; found none, but {contents(root)}"
        )
    if not all(each.is_relative_to(root) for each in found):
        raise InputError(
            f"data.{option}={place}: expected a place within data.root={root}, found one elsewhere; set data.root to a "
            "folder that holds both"
        )
    return found


def below(root: Path, path: Path) -> Path:
    """Write a path relative to the root; one that lies elsewhere stays as it is."""
    return path.relative_to(root) if path.is_relative_to(root) else path


def contents(root: Path) -> str:
    """Say in a few words what a folder holds: its folders, and its files by kind."""
    folders = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    files = [path for path in root.iterdir() if path.is_file() and not path.name.startswith(".")]
    parts = [f"{name}/" for name in folders[:8]] + ([f"{len(folders) - 8} more folders"] if len(folders) > 8 else [])
    return ", ".join([*parts, *([kinds_of(files)] if files else [])]) or "nothing"


def kinds_of(files: Iterable[Path]) -> str:
    """Count files by suffix: ``120 .png, 1 .txt``."""
    counts = Counter(path.suffix.lower() or path.name for path in files)
    shown = [f"{count} {suffix}" for suffix, count in counts.most_common(6)]
    return ", ".join(shown) + (", ..." if len(counts) > 6 else "")


def few(files: Sequence[Path], count: int) -> list[Path]:
    """Pick up to ``count`` files, spread evenly."""
    step = max(1, -(-len(files) // count))
    return list(files[::step])
