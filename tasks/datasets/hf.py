"""Datasets of the Hugging Face library `datasets`: parquet and arrow files, saved folders, or names of its hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.annotations.kind import kind_of
from tasks.base import IGNORE, Boxes, Dataset, Info, Sample, datasets
from tasks.data.partition import hold_out
from tasks.datasets.reading.boxes import usable
from tasks.datasets.reading.colours import voc_colours
from tasks.datasets.reading.files import too_deep
from tasks.datasets.reading.formats.depth import INVALID, metres
from tasks.datasets.reading.points import inside, read_points
from tasks.errors import InputError, nearest

FILES = {".parquet": "parquet", ".arrow": "arrow"}
NAMES = {"train": ("train",), "val": ("validation", "val", "valid"), "test": ("test",)}


@datasets.register("hf")
class HuggingFace(Dataset):
    """A dataset of columns: images, and what ``kind`` says of them; needs the extra ``hf``.

    Annotations: ``classes``, ``mask`` and ``depth`` are pictures (labels; brighter than 0 where ``threshold`` is null,
    else than it; stored values of ``scale`` a metre, of which 0 and 65535 are none), ``points`` lists of x,y, ``boxes``
    COCO's: ``bbox`` of x,y,w,h and ``category`` or ``categories`` as numbers. Splits are those of the set; a test or
    validation split that it lacks is held out of the training rows.

    Args:
        path: a .parquet or .arrow file, a folder of them or one that ``save_to_disk`` wrote, or a name of the hub.
        image: column of the images.
        annotation: column of the annotations.
        kind: what the annotations are.
        classes: names of classes or categories; 2 and more numbers are found out otherwise.
        ignore: label that counts nowhere.
        threshold: grey value above which a mask is the object; without it masks must be of 0 and one other value.
        scale: stored value of a metre.
        holdout: share of the training rows for each split that the set lacks.
    """

    title: ClassVar[str] = "A dataset of the Hugging Face library"
    license: ClassVar[str] = "that of the set"
    reference: ClassVar[str] = "https://huggingface.co/docs/datasets"
    provides = frozenset({"classes", "mask", "depth", "points", "boxes"})

    def __init__(
        self,
        *,
        path: str | None = None,
        image: str = "image",
        annotation: str | None = None,
        kind: str | None = None,
        classes: Sequence[str] | None = None,
        ignore: int = IGNORE,
        threshold: float | None = None,
        scale: float | None = None,
        holdout: float = 0.1,
    ) -> None:
        if path is None or annotation is None or kind is None:
            raise InputError("data=hf: expected data.path, data.annotation (a column) and data.kind, such as classes")
        if kind not in type(self).provides:
            raise InputError(f"data.kind={kind}: expected a kind{nearest(kind, type(self).provides)}")
        if kind == "depth" and not scale:
            raise InputError("data.scale is not set: expected the stored value of a metre, 1000 for millimetres")
        self.path, self.columns, self.kind = path, (image, annotation), kind
        self.ignore, self.threshold, self.scale = ignore, threshold, scale
        self.provides = frozenset({kind})  # type: ignore[misc]
        loaded = _load(path)
        for column in self.columns:
            known = next(iter(loaded.values())).column_names
            if column not in known:
                raise InputError(f"data.path={path}: expected a column '{column}', found none{nearest(column, known)}")
        self.rows = _splits(path, loaded, holdout)
        self.info = self._info(classes)

    def ids(self, split: str) -> Sequence[str]:
        """List the rows of a split by number; InputError where it has none."""
        source, rows = self.rows[split]
        if not rows:
            raise InputError(f"data.path={self.path}: expected rows in split '{split}', found none; see data.holdout")
        return [f"{source.split or split}-{row:06d}" for row in rows]

    def load(self, split: str, index: int) -> Sample:
        """Read one row; InputError where its annotation is not what the kind asks for."""
        source, rows = self.rows[split]
        row = source[rows[index]]
        name = f"{source.split or split}-{rows[index]:06d}"
        picture = row[self.columns[0]]
        if found := too_deep(Path(name), picture.mode):
            raise found
        image = np.array(picture.convert("RGB"))
        size = (image.shape[0], image.shape[1])
        return Sample(name, image, {self.kind: self._annotation(row[self.columns[1]], size, name)})

    def manifest(self) -> str:
        """Hash the fingerprint of the library, which is of content and version, the rows, and the options."""
        import hashlib

        parts = {split: (_content(source), rows) for split, (source, rows) in self.rows.items()}
        options = (self.columns, self.kind, self.ignore, self.threshold, self.scale, self.info)
        left_out = [INVALID] if self.kind == "depth" else []
        return hashlib.sha256(repr(("hf", sorted(parts.items()), options, *left_out)).encode()).hexdigest()

    def verify(self) -> list[str]:
        """Read every row and name every fault."""
        faults = []
        for split in self.splits:
            for index, name in enumerate(self.ids(split)):
                try:
                    sample = self.load(split, index)
                except (InputError, OSError) as error:
                    faults.append(str(error))
                    continue
                value, size = sample.annotations[self.kind], (sample.image.shape[0], sample.image.shape[1])
                faults += [f"{name}: {text}" for text in kind_of(self.kind).faults(value, size, self.info)]
        return faults

    def _annotation(self, value: Any, size: tuple[int, int], name: str) -> Any:
        if self.kind == "points":
            return inside(read_points(Path(name), value), size)
        if self.kind == "boxes":
            return self._boxes(value, size, name)
        raw = self._plane(value, name)
        if self.kind == "depth":
            assert self.scale is not None
            return metres(raw, self.scale, INVALID)
        if self.kind == "mask":
            found = np.unique(raw)
            if self.threshold is None and not set(found.tolist()) <= {0, found.max()}:
                raise InputError(f"{name}: expected a mask of two values, found {len(found)}; say data.threshold=128")
            return (raw > (self.threshold or 0)).astype(np.uint8)
        labels = np.where(raw == self.ignore, IGNORE, raw)
        strange = np.setdiff1d(labels, [*range(len(self.info.classes)), IGNORE])
        if strange.size:
            shown = ", ".join(map(str, strange[:5]))
            raise InputError(f"{name}: expected labels below {len(self.info.classes)}, found {shown}")
        return labels.astype(np.uint8)

    def _plane(self, value: Any, name: str) -> np.ndarray:
        raw = np.asarray(value)
        if raw.ndim != 2 or raw.dtype.kind not in "biuf":
            found = f"{raw.dtype} {raw.shape}"
            raise InputError(f"{name}: expected pictures of one channel in '{self.columns[1]}', found {found}")
        return raw

    def _boxes(self, value: Mapping[str, Any], size: tuple[int, int], name: str) -> Boxes:
        xywh = np.asarray(value["bbox"], np.float64).reshape(-1, 4)
        labels = _categories(value, name)
        corners = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        return usable(Boxes(corners, labels, np.zeros(len(labels), bool)), size)

    def _info(self, classes: Sequence[str] | None) -> Info:
        if self.kind not in ("classes", "boxes"):
            return Info()
        names = tuple(map(str, classes)) if classes is not None else self._found()
        if self.kind == "boxes":
            return Info(categories=names, category_ids=tuple(range(1, len(names) + 1)))
        return Info(classes=names, palette=voc_colours(len(names)))

    def _found(self) -> tuple[str, ...]:
        """Number the labels up to the largest one that the training rows have."""
        source, rows = self.rows["train"]
        top = 0
        for row in rows:
            value = source[row][self.columns[1]]
            name = f"{source.split or 'train'}-{row:06d}"
            labels = _categories(value, name) if self.kind == "boxes" else self._plane(value, name)
            known = labels[labels != self.ignore]
            top = max(top, int(known.max(initial=0)))
        return tuple(f"label {label}" for label in range(top + 1))


def _categories(value: Mapping[str, Any], name: str) -> np.ndarray:
    for key in ("category", "categories", "category_id", "label", "labels"):
        if key in value:
            found = np.asarray(value[key]).reshape(-1)
            if found.size and found.dtype.kind not in "iu":
                fix = "number them, and give their names by data.classes"
                raise InputError(f"{name}: expected categories as numbers in '{key}', found '{found[0]}'; {fix}")
            return found.astype(np.int64)
    raise InputError(f"{name}: expected boxes with 'bbox' and 'category', found {', '.join(value)}")


def _load(path: str) -> dict[str, Any]:
    """Load the splits by name; InputError where the library, or the set, is not there."""
    try:
        import datasets as library
    except ImportError:
        raise InputError("data=hf needs the library datasets: pip install 'densedistill[hf]'") from None
    place = Path(path).expanduser()
    try:
        if (place / "dataset_dict.json").is_file() or (place / "state.json").is_file():
            found = library.load_from_disk(str(place))
        elif place.suffix in FILES and place.is_file():
            found = library.load_dataset(FILES[place.suffix], data_files=str(place))
        else:
            found = library.load_dataset(str(place) if place.exists() else path)
    except Exception as error:  # the library raises a dozen types for sets that are not there or cannot be read
        first = str(error).strip().partition("\n")[0]
        raise InputError(f"data.path={path}: expected a set that datasets can load; {first}") from None
    return dict(found) if hasattr(found, "keys") else {"train": found}


def _splits(path: str, loaded: Mapping[str, Any], holdout: float) -> dict[str, tuple[Any, list[int]]]:
    there = {split: next((loaded[name] for name in names if name in loaded), None) for split, names in NAMES.items()}
    train = there["train"]
    if train is None:
        raise InputError(f"data.path={path}: expected a split 'train', found {', '.join(loaded)}")
    rows = list(range(len(train)))
    parts = {split: (each, list(range(len(each)))) for split, each in there.items() if each is not None}
    for split in ("test", "val"):
        if split not in parts:
            kept, held = hold_out([str(row) for row in rows], holdout * len(train) / len(rows))
            parts[split] = (train, [rows[i] for i in held])
            rows = [rows[i] for i in kept]
    return {**parts, "train": (train, rows)}


def _content(source: Any) -> str:
    """Hash what a split holds: the library's fingerprint is of the moment where a set was made of files."""
    import hashlib

    digest = hashlib.sha256()
    for batch in source.with_format("arrow").iter(batch_size=256):
        for column in batch.columns:
            for chunk in column.chunks:
                digest.update(repr(chunk.to_pylist()).encode())
    return digest.hexdigest()
