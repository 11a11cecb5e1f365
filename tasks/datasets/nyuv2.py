"""NYU Depth v2: indoor scenes of 640x480, as the labelled .mat or in the folders of BTS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.base import Info, datasets
from tasks.datasets.reading.files import data_root, fault, read_depth, read_lines, size_text
from tasks.datasets.reading.listed import Entry, ListedDataset, held_out
from tasks.datasets.reading.mat import read_mat
from tasks.errors import InputError

LAYOUT = (
    "nyu_depth_v2_labeled.mat and splits.mat, or sync/<scene>/{rgb_#####.jpg,sync_depth_#####.png} and "
    "official_splits/test/<scene>/ with the same (BTS)"
)
LABELED, SPLITS = "nyu_depth_v2_labeled.mat", "splits.mat"
TRAIN_LIST = "nyudepthv2_train_files_with_gt.txt"


@datasets.register("nyuv2")
class NYUv2(ListedDataset):
    """NYU Depth v2 (Silberman et al., ECCV 2012), depths up to 10 m, Eigen crop.

    Where ``nyu_depth_v2_labeled.mat`` is there: its 795 training and 654 test images with in-painted depth; it needs
    h5py. Otherwise the folders of BTS (Lee et al., 2019): the 654 test images, and the training images (24231) that
    ``nyudepthv2_train_files_with_gt.txt`` in the root lists, all of ``sync/`` without that file. Validation images are
    held out of the training set, whole scenes at a time, see ``held_out``.

    Args:
        root: the dataset's folder.
        holdout: share of the training images that validate; 0 validates on the test set.
        train_scale: what a metre is in the files of ``sync/``; 1000 for 16-bit millimetres.
        test_scale: the same for the test files.
    """

    title: ClassVar[str] = "NYU Depth v2"
    license: ClassVar[str] = "see reference"
    reference: ClassVar[str] = "https://cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html"
    bibtex: ClassVar[str] = """
        @inproceedings{silberman2012indoor,
          title = {Indoor Segmentation and Support Inference from RGBD Images},
          author = {Silberman, Nathan and Hoiem, Derek and Kohli, Pushmeet and Fergus, Rob},
          booktitle = {European Conference on Computer Vision (ECCV)},
          year = {2012}
        }
    """
    provides: ClassVar[frozenset[str]] = frozenset({"depth"})
    official: Mapping[str, int] = {"train": 24231, "test": 654}
    info = Info(depth_cap=10.0, crop="eigen")

    def __init__(
        self,
        *,
        root: str | None = None,
        holdout: float = 0.1,
        train_scale: float = 1000.0,
        test_scale: float = 1000.0,
    ) -> None:
        folder = data_root(root, LAYOUT)
        inner = folder / "nyu_depth_v2"
        folder = inner if inner.is_dir() else folder
        if (folder / LABELED).is_file():
            self.official = {"train": 795, "test": 654}
            train, test = _labeled(folder)
            scenes = _scenes(folder / LABELED)
            splits = held_out(train, test, holdout, group=lambda name: scenes[int(name) - 1])
        else:
            data_root(str(folder), LAYOUT, "sync", "official_splits/test")
            train, test = _synchronised(folder / "sync", folder / TRAIN_LIST), _pairs(folder / "official_splits/test")
            splits = held_out(train, test, holdout, group=lambda name: name.partition("/")[0])
        self._scales = {folder / "sync": train_scale, folder / "official_splits": test_scale}
        found = {"train": len(train), "test": len(test)}
        super().__init__(folder, splits, found=found, train_scale=train_scale, test_scale=test_scale)

    def image(self, entry: Entry) -> np.ndarray:
        """Read the image of a sample, uint8 (H,W,3) RGB."""
        if entry.image.name == LABELED:
            return _read(entry.image, "images", int(entry.id) - 1).T.copy()
        return super().image(entry)

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the depth in metres, 0 where invalid."""
        if entry.annotation.name == LABELED:
            depth = _read(entry.annotation, "depths", int(entry.id) - 1).T.astype(np.float32)
            if size is not None and depth.shape != size:
                raise fault(entry.annotation, f"depth {entry.id} of {size_text(size)}", size_text(depth.shape))
            return {"depth": depth}
        scale = next(scale for folder, scale in self._scales.items() if entry.annotation.is_relative_to(folder))
        return {"depth": read_depth(entry.annotation, scale, size)}


def _open(path: Path) -> Any:
    """Open the labelled set, a MATLAB 7.3 file: HDF5 whose axes are reversed."""
    try:
        import h5py
    except ImportError:
        raise InputError(f"{path}: reading MATLAB 7.3 files needs h5py: pip install 'densedistill[nyu]'") from None
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise fault(path, "a MATLAB 7.3 file", str(error)) from None


def _read(path: Path, name: str, index: int) -> np.ndarray:
    with _open(path) as file:
        try:
            return np.asarray(file[name][index])
        except (OSError, KeyError, ValueError, IndexError) as error:
            raise fault(path, f"'{name}' of image {index + 1}", str(error)) from None


def _scenes(path: Path) -> list[str]:
    """Read the scene that each image shows; images of one scene look alike."""
    with _open(path) as file:
        try:
            return ["".join(map(chr, np.ravel(file[reference]))) for reference in np.ravel(file["scenes"])]
        except (OSError, KeyError) as error:
            raise fault(path, "'scenes', the scene of each image", str(error)) from None


def _labeled(folder: Path) -> tuple[list[Entry], list[Entry]]:
    """List the official splits of the labelled set; ids are MATLAB's indices, from 1."""
    path, count = folder / LABELED, len(_scenes(folder / LABELED))
    parts = []
    for name in ("trainNdxs", "testNdxs"):
        indices = np.atleast_1d(read_mat(folder / SPLITS, name)).astype(int)
        if indices.min() < 1 or indices.max() > count:
            found = f"{indices.min()}..{indices.max()}"
            raise fault(folder / SPLITS, f"{name} in 1..{count}", found, "take it from the same release")
        parts.append([Entry(f"{index:04d}", path, path) for index in indices])
    return parts[0], parts[1]


def _synchronised(folder: Path, listed: Path) -> list[Entry]:
    """List the training images: those of the list, ``image depth focal`` a line with a leading slash, or all."""
    if not listed.is_file():
        return _pairs(folder)
    entries = []
    for number, line in enumerate(read_lines(listed), start=1):
        columns = line.split()
        if len(columns) < 2:
            raise fault(listed, "image, depth and focal length a line", f"'{line}' in line {number}", "mend the line")
        image, depth = (column.lstrip("/") for column in columns[:2])
        entries.append(Entry(image.rpartition(".")[0], folder / image, folder / depth))
    return entries


def _pairs(folder: Path) -> list[Entry]:
    """List all images of a tree of scenes."""
    return [
        Entry(
            f"{path.parent.name}/{path.stem}", path, path.with_name(f"sync_depth_{path.stem.removeprefix('rgb_')}.png")
        )
        for path in sorted(folder.glob("*/rgb_*.jpg"))
    ]
