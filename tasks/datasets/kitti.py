"""KITTI depth, Eigen split: street scenes with annotated depth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from tasks.base import Info, datasets
from tasks.datasets.reading.files import data_root, fault, read_depth, read_lines
from tasks.datasets.reading.listed import Entry, ListedDataset, held_out
from tasks.errors import InputError

LAYOUT = (
    "<date>/<drive>_sync/image_0{2,3}/data/*.png (also within raw/), "
    "{train,val}/<drive>_sync/proj_depth/groundtruth/image_0{2,3}/*.png (also within depth/) and the two lists"
)
RAW, DEPTH = (".", "raw"), (".", "train", "val", "depth", "depth/train", "depth/val")
SCALE = 256.0  # stored value of a metre


@datasets.register("kitti")
class KITTI(ListedDataset):
    """KITTI raw images (Geiger et al., IJRR 2013) with annotated depth (Uhrig et al., 3DV 2017), up to 80 m, Garg crop.

    Splits come from lists of ``image depth focal`` lines (BTS); lines whose depth is ``None`` are left out, which makes
    652 of the 697 test images of Eigen et al. (NeurIPS 2014). Validation images are held out of the training list,
    whole drives at a time, see ``held_out``.

    Args:
        root: folder of the images, the depth maps and the lists.
        train_list: list of training images, relative to ``root`` or absolute.
        test_list: the same for the test images.
        holdout: share of the training images that validate; 0 validates on the test set.
    """

    title: ClassVar[str] = "KITTI, Eigen split"
    license: ClassVar[str] = "CC BY-NC-SA 3.0"
    reference: ClassVar[str] = "https://www.cvlibs.net/datasets/kitti/"
    bibtex: ClassVar[str] = """
        @article{geiger2013vision,
          title = {Vision meets Robotics: The KITTI Dataset},
          author = {Geiger, Andreas and Lenz, Philip and Stiller, Christoph and Urtasun, Raquel},
          journal = {International Journal of Robotics Research},
          year = {2013}
        }
        @inproceedings{uhrig2017sparsity,
          title = {Sparsity Invariant CNNs},
          author = {Uhrig, Jonas and Schneider, Nick and Schneider, Lukas and Franke, Uwe and Brox, Thomas and
            Geiger, Andreas},
          booktitle = {International Conference on 3D Vision (3DV)},
          year = {2017}
        }
    """
    provides: ClassVar[frozenset[str]] = frozenset({"depth"})
    official: Mapping[str, int] = {"train": 23158, "test": 652}
    info = Info(depth_cap=80.0, crop="garg")

    def __init__(
        self,
        *,
        root: str | None = None,
        train_list: str = "eigen_train_files_with_gt.txt",
        test_list: str = "eigen_test_files_with_gt.txt",
        holdout: float = 0.1,
    ) -> None:
        folder = data_root(root, LAYOUT)
        places: dict[tuple[str, tuple[str, ...]], Path] = {}
        train = _listed(folder, _list_file(folder, "train_list", train_list), places)
        test = _listed(folder, _list_file(folder, "test_list", test_list), places)
        splits = held_out(train, test, holdout, self.group)
        super().__init__(folder, splits, found={"train": len(train), "test": len(test)})

    def group(self, sample_id: str) -> str:
        """Name the drive of a frame."""
        return sample_id.partition("/")[0]

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the depth in metres, 0 where invalid."""
        return {"depth": read_depth(entry.annotation, SCALE, size)}


def _list_file(folder: Path, option: str, name: str) -> Path:
    path = folder / Path(name).expanduser()
    if not path.is_file():
        raise InputError(
            f"data.{option}={name}: expected a list of 'image depth focal' lines at {path}, found no such file; "
            "KITTI's download has no Eigen split, put the list of BTS there"
        )
    return path


def _listed(folder: Path, path: Path, places: dict[tuple[str, tuple[str, ...]], Path]) -> list[Entry]:
    entries = []
    for number, line in enumerate(read_lines(path), start=1):
        columns = line.split()
        if len(columns) < 2 or len(PurePosixPath(columns[0]).parts) < 4:
            expected = "<date>/<drive>/image_0{2,3}/data/<frame>.png, its depth and the focal length a line"
            raise fault(path, expected, f"'{line}' in line {number}", "mend the line")
        if columns[1] == "None":
            continue
        image, depth = (column.lstrip("/") for column in columns[:2])
        drive, camera, _, frame = PurePosixPath(image).parts[-4:]
        files = (_place(folder, each, kinds, places) / each for each, kinds in ((image, RAW), (depth, DEPTH)))
        entries.append(Entry(f"{drive}/{camera}/{PurePosixPath(frame).stem}", *files))
    return entries


def _place(folder: Path, file: str, kinds: tuple[str, ...], places: dict[tuple[str, tuple[str, ...]], Path]) -> Path:
    """Find the folder that a listed path starts from, once for each first component (a date or a drive)."""
    first = PurePosixPath(file).parts[0]
    if (first, kinds) not in places:
        candidates = [folder / kind for kind in kinds if (folder / kind / first).is_dir()]
        places[first, kinds] = candidates[0] if candidates else folder
    return places[first, kinds]
