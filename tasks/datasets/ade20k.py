"""ADE20K as the scene parsing benchmark packages it: 150 classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tasks.base import IGNORE, Info, datasets
from tasks.datasets.reading.colours import voc_colours
from tasks.datasets.reading.files import data_root, fault, files_by_stem, label_table, read_classes, read_lines
from tasks.datasets.reading.listed import Entry, ListedDataset, held_out, strays

LAYOUT = "ADEChallengeData2016/{images,annotations}/{training,validation}"
NAMES = """
    wall, building, sky, floor, tree, ceiling, road, bed, windowpane, grass, cabinet, sidewalk, person, earth, door,
    table, mountain, plant, curtain, chair, car, water, painting, sofa, shelf, house, sea, mirror, rug, field, armchair,
    seat, fence, desk, rock, wardrobe, lamp, bathtub, railing, cushion, base, box, column, signboard, chest of drawers,
    counter, sand, sink, skyscraper, fireplace, refrigerator, grandstand, path, stairs, runway, case, pool table,
    pillow, screen door, stairway, river, bridge, bookcase, blind, coffee table, toilet, flower, book, hill, bench,
    countertop, stove, palm, kitchen island, computer, swivel chair, boat, bar, arcade machine, hovel, bus, towel,
    light, truck, tower, chandelier, awning, streetlight, booth, television receiver, airplane, dirt track, apparel,
    pole, land, bannister, escalator, ottoman, bottle, buffet, poster, stage, van, ship, fountain, conveyer belt,
    canopy, washer, plaything, swimming pool, stool, barrel, basket, waterfall, tent, bag, minibike, cradle, oven, ball,
    food, step, tank, trade name, microwave, pot, animal, bicycle, lake, dishwasher, screen, blanket, sculpture, hood,
    sconce, vase, traffic light, tray, ashcan, fan, pier, crt screen, plate, monitor, bulletin board, shower, radiator,
    glass, clock, flag"""
CLASSES = tuple(" ".join(name.split()) for name in NAMES.split(","))
TABLE = label_table({0: IGNORE, **{k + 1: k for k in range(len(CLASSES))}})


@datasets.register("ade20k")
class ADE20K(ListedDataset):
    """ADE20K, SceneParse150 (Zhou et al., CVPR 2017): label 0 ("other") is ignored, k is class k-1.

    The official validation set is the test split, since the official test set has no public labels; validation images
    are held out of the training set, see ``held_out``. Names are read from ``objectInfo150.txt`` where it is there.
    """

    title: ClassVar[str] = "ADE20K, 150 classes"
    license: ClassVar[str] = "its terms, non-commercial research"
    reference: ClassVar[str] = "https://groups.csail.mit.edu/vision/datasets/ADE20K/"
    bibtex: ClassVar[str] = """
        @inproceedings{zhou2017scene,
          title = {Scene Parsing through ADE20K Dataset},
          author = {Zhou, Bolei and Zhao, Hang and Puig, Xavier and Fidler, Sanja and Barriuso, Adela and Torralba,
            Antonio},
          booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
          year = {2017}
        }
    """
    provides: ClassVar[frozenset[str]] = frozenset({"classes"})
    official: Mapping[str, int] = {"training": 20210, "validation": 2000}

    def __init__(self, *, root: str | None = None, holdout: float = 0.1) -> None:
        markers = [f"{kind}/{part}" for kind in ("images", "annotations") for part in self.official]
        folder = data_root(root, LAYOUT, *markers, inside=("ADEChallengeData2016",))
        parts = {part: _entries(folder, part) for part in self.official}
        self.info = Info(classes=_names(folder / "objectInfo150.txt"), palette=voc_colours(len(CLASSES)))
        splits = held_out(parts["training"], parts["validation"], holdout)
        super().__init__(folder, splits, found={part: len(entries) for part, entries in parts.items()})

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the labels, 255 where ignored."""
        return {"classes": read_classes(entry.annotation, TABLE, size, "0..150")}

    def structure(self) -> list[str]:
        """Name what is wrong with the lists, and labels without an image."""
        listed = [entry.annotation for entries in self.entries.values() for entry in entries]
        labels = [path for part in self.official for path in files_by_stem(self.root / "annotations" / part).values()]
        return super().structure() + strays(labels, listed, "images/")


def _entries(folder: Path, part: str) -> list[Entry]:
    images = files_by_stem(folder / "images" / part)
    return [Entry(stem, path, folder / "annotations" / part / f"{stem}.png") for stem, path in images.items()]


def _names(path: Path) -> tuple[str, ...]:
    """Read the first synonym of each class from the table that comes with the set: a header, then a row a class."""
    if not path.is_file():
        return CLASSES
    rows = read_lines(path)[1:]
    if len(rows) != len(CLASSES):
        raise fault(path, f"a header and {len(CLASSES)} classes", f"{len(rows)} rows after the header")
    return tuple(row.split("\t")[-1].split(",")[0].strip() for row in rows)
