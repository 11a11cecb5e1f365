"""Reading files of datasets: every fault is an InputError that names the file, what was expected and what was found."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from tasks.datasets.reading.tree import contents
from tasks.errors import InputError

Image.MAX_IMAGE_PIXELS = 1 << 30  # crowd sets hold images of half a gigapixel
EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
ANIMATED = frozenset({"GIF", "PNG", "WEBP"})  # formats whose further pictures are others, not previews of the first
LONGEST = 1000  # letters of a relative path
STRETCH = 0.05  # how much the aspect ratios of a mask and its image may differ
PNG_BITS = 24  # the byte that tells the bits of a channel
TIFF_BITS = 258  # the tag that tells them, BitsPerSample
NOT_ALLOWED = -1  # entry of a label table whose index must not occur
CHECK = "see whether the file is complete, and the one that is meant"


def fault(path: Path, expected: str, found: str, fix: str = CHECK) -> InputError:
    """Build the error for a faulty file."""
    return InputError(f"{path}: expected {expected}, found {found}; {fix}")


def reason(error: Exception) -> str:
    """Say in one line why a file could not be read."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    text = str(error).partition("\n")[0]
    return "no image data" if "cannot identify" in text else text or type(error).__name__


def size_text(size: tuple[int, int]) -> str:
    """Write a size (H,W) the way people read it: ``480x360`` is 480 wide."""
    return f"{size[1]}x{size[0]}"


def data_root(root: str | None, layout: str, *markers: str, inside: tuple[str, ...] = ()) -> Path:
    """Find the folder of a dataset: ``root`` itself or one of the folders ``inside`` it that holds all ``markers``.

    Raises InputError where ``root`` is None, is no folder, or holds no marker; the message shows the layout expected,
    and what there is.
    """
    if root is None:
        raise InputError(f"data.root is not set: expected the path of a folder with {layout}")
    top = Path(root).expanduser()
    if not top.is_dir():
        raise InputError(f"data.root={root}: expected a folder with {layout}, found no such folder")
    for folder in (top, *(top / name for name in inside)):
        if all((folder / marker).exists() for marker in markers):
            return folder
    missing = ", ".join(marker for marker in markers if not (top / marker).exists())
    raise InputError(f"data.root={root}: expected a folder with {layout}; found no {missing}, but {contents(top)}")


def read_image(path: Path, *, turn: bool = False) -> np.ndarray:
    """Read an image as uint8 (H,W,3) RGB, pixels as stored unless its EXIF entry may ``turn`` it; grey is repeated."""
    image = open_image(path)
    if found := too_deep(path, mode_of(path, image)):
        raise found
    if turn:
        image = ImageOps.exif_transpose(image)
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def read_map(path: Path) -> np.ndarray:
    """Read a single-channel image (H,W) as stored: palette images give indices, 16-bit ones their 16 bits."""
    image = open_image(path)
    if len(image.getbands()) != 1:
        raise fault(
            path, "one channel (grey or palette PNG)", f"mode {image.mode}", "export label indices, not colours"
        )
    return np.asarray(image.convert("L") if image.mode == "1" else image)


def read_grey(path: Path) -> np.ndarray:
    """Read the brightness of an image of any 8-bit kind, uint8 (H,W)."""
    image = open_image(path)
    if found := too_deep(path, mode_of(path, image)):
        raise found
    return np.array(image.convert("L"))


def mode_of(path: Path, image: Image.Image) -> str:
    """Name the mode of an opened file as Pillow does, with ``;16`` where Pillow keeps 8 of the 16 bits of a channel."""
    bits = 8
    if image.format == "PNG":
        with path.open("rb") as file:
            bits = file.read(PNG_BITS + 1)[PNG_BITS]
    elif image.format == "TIFF":
        bits = max(image.tag_v2.get(TIFF_BITS, (8,)))  # type: ignore[attr-defined]
    return image.mode if bits <= 8 or is_deep(image.mode) else f"{image.mode};16"


def is_deep(mode: str) -> bool:
    """Whether an image of a mode, as ``mode_of`` names it, has more than 8 bits a channel."""
    return mode[0] in "IF" or mode.endswith(";16")


def too_deep(path: Path, mode: str) -> InputError | None:
    """Say that an image of a mode has more than 8 bits a channel; None where it has not."""
    return fault(path, "an 8-bit image", f"mode {mode}", "convert it to 8 bits a channel") if is_deep(mode) else None


def read_classes(path: Path, table: np.ndarray, size: tuple[int, int] | None, labels: str) -> np.ndarray:
    """Read a label map and translate it, (H,W) uint8.

    Args:
        path: single-channel image of raw labels.
        table: int16, maps a raw label to a class, 255 (ignored) or NOT_ALLOWED.
        size: (H,W) of the image it belongs to; None when that is not known.
        labels: the raw labels allowed, for the message.
    """
    return translate(path, read_map(path), table, size, labels)


def translate(path: Path, raw: np.ndarray, table: np.ndarray, size: tuple[int, int] | None, labels: str) -> np.ndarray:
    """Translate raw labels (H,W) by a table; as ``read_classes``, for labels that come from elsewhere."""
    if raw.dtype.kind not in "iu":
        raise fault(path, f"labels {labels}, whole numbers", f"{raw.dtype} numbers", "export label indices")
    expected, found = [], []
    if size is not None and raw.shape != size:
        expected.append(f"{size_text(size)} pixels like its image")
        found.append(size_text(raw.shape))
    classes = table[raw if raw.dtype == np.uint8 else np.minimum(raw, len(table) - 1)]
    strange = classes == NOT_ALLOWED
    if strange.any():
        values = np.unique(raw[strange])
        expected.append(f"labels {labels}")
        shown = ", ".join(str(value) for value in values[:5]) + (", ..." if len(values) > 5 else "")
        found.append(f"{shown} ({np.count_nonzero(strange)} pixels)")
    if expected:
        raise fault(path, " and ".join(expected), " and ".join(found))
    return classes.astype(np.uint8)


def label_table(classes: Mapping[int, int]) -> np.ndarray:
    """Build the table of ``read_classes`` from raw labels and their classes; no other label may occur."""
    table = np.full(257, NOT_ALLOWED, np.int16)  # the last entry stands for everything above 8 bits
    table[list(classes)] = list(classes.values())
    return table


def read_depth(path: Path, scale: float, size: tuple[int, int] | None, invalid: Iterable[int] = (0,)) -> np.ndarray:
    """Read a 16-bit depth PNG as float32 (H,W) metres: stored value / ``scale``, 0 where the value is ``invalid``.

    Raises InputError for 8-bit maps (another packaging, with another scale) and for another size than the image's.
    """
    raw = read_map(path)
    if raw.dtype.itemsize < 2:
        raise fault(
            path, f"16-bit depth in 1/{scale:g} m", f"{8 * raw.dtype.itemsize} bits", "use the 16-bit packaging"
        )
    if size is not None and raw.shape != size:
        raise fault(path, f"{size_text(size)} pixels like its image", size_text(raw.shape))
    depth = raw.astype(np.float32) / np.float32(scale)
    depth[np.isin(raw, list(invalid))] = 0
    return depth


def shape_faults(path: Path, found: tuple[int, ...], size: tuple[int, int]) -> list[str]:
    """Name a map of another shape than its image of ``size`` (H,W); another size is fine."""
    if abs(np.log((size[1] / size[0]) / (found[1] / found[0]))) <= STRETCH:
        return []
    fix = "is the image turned by its EXIF entry? Store it upright"
    return [str(fault(path, f"the shape of its image, {size_text(size)}", size_text((found[0], found[1])), fix))]


def read_lines(path: Path) -> list[str]:
    """Read the lines of a list file, without blank ones; a final newline may be missing."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise fault(path, "a list, one sample a line", reason(error)) from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise fault(path, "a list, one sample a line", "an empty file")
    return lines


def load_json(path: Path) -> Any:
    """Read a JSON file; raises OSError, and ValueError for what is none or is nested beyond all measure."""
    try:
        return json.loads(path.read_bytes())
    except RecursionError:
        raise ValueError("brackets within brackets without end") from None


def check_inside(path: Path, names: Iterable[str]) -> None:
    """Raise InputError where a file names others that lie elsewhere, or that no file could bear."""
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or "\0" in name or len(name) > LONGEST:
            shown = name[:60].encode("unicode_escape").decode() + ("..." if len(name) > 60 else "")
            raise fault(path, "names of files below their folder", f"'{shown}'", "mend the entry")


def is_there(path: Path) -> bool:
    """Whether a path names a file; one that no file could bear names none."""
    try:
        return path.is_file()
    except OSError:
        return False


def files_by_stem(folder: Path, extensions: Iterable[str] = EXTENSIONS) -> dict[str, Path]:
    """Map stems to the files of a folder, sorted by stem; extensions compare case-insensitively.

    Raises InputError where the folder is missing or two files share a stem.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder of {', '.join(sorted(extensions))} files, found no such folder")
    wanted = frozenset(extensions)
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in wanted and not path.name.startswith("."):
            if path.stem in files:
                raise fault(
                    path, "one file a name", f"{files[path.stem].name} too", "give each image a name of its own"
                )
            files[path.stem] = path
    return files


def fingerprint(identity: Mapping[str, Any], files: Iterable[Path], exact: Iterable[Path] = ()) -> str:
    """Hash what a dataset consists of: its identity (name, version, options), and each file by its relative path.

    Paths are taken from the innermost folder that holds all files, so that moving a set does not change its hash.
    Annotations other than images, and the files that are ``exact``, are hashed by content up to 64 MB. Other images and
    larger files enter with their size alone, so that a large set takes seconds: as photos are compressed, other pixels
    nearly always give another size. Label maps are not so, and belong to ``exact``.
    """
    digest = hashlib.sha256(repr(sorted(identity.items())).encode())
    whole = set(exact)
    paths = sorted({*files, *whole})
    root = os.path.commonpath(paths)
    for path in paths:
        size = path.stat().st_size
        by_content = (path in whole or path.suffix.lower() not in EXTENSIONS) and size <= 64 << 20
        content = hashlib.sha256(path.read_bytes()).hexdigest() if by_content else size
        digest.update(f"\n{path.relative_to(root).as_posix()} {content}".encode())
    return digest.hexdigest()


def open_image(path: Path) -> Image.Image:
    """Read an image to its end; InputError where that cannot be done, and for an animation."""
    if not is_there(path):  # a pipe would be waited for
        raise fault(path, "an image that can be read to its end", "no such file")
    try:
        with Image.open(path) as image:
            count = getattr(image, "n_frames", 1) if image.format in ANIMATED else 1
            image.load()
    except Exception as error:  # Pillow's decoders raise a dozen types on damaged files, also where memory ends
        raise fault(path, "an image that can be read to its end", reason(error)) from None
    if count > 1:
        raise fault(path, "one still image", f"an animation of {count}", "store the picture that is meant by itself")
    return image
