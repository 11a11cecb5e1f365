"""Annotations of every format, and list files, that are cut, contradict themselves, or hide something."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from perf.campaign.case import Case
from perf.campaign.damage import Damage, cut, edited, holding, swapped
from perf.campaign.refusals import EXECUTED, Malformed
from tests.tasks.datasets import layouts, own_layouts

LAUGHS = (  # entities that unpack to 3 GB
    '<!DOCTYPE a [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]><annotation>&j;</annotation>"
)
OUTSIDE = (
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><object><name>&x;</name></object></annotation>'
)
CODE = f"names: !!python/object/apply:os.system ['touch {EXECUTED}']\n"
DEEP = "[" * 200_000


def text(content: str) -> Damage:
    """Put a text in a file's place."""
    return holding(content.encode())


BOX, IMAGE = (lambda content: content["annotations"][0]), (lambda content: content["images"][0])
ANY_TEXT: dict[str, Damage] = {
    "of zero bytes": holding(b""),
    "cut in the middle": cut(0.5),
    "of bytes that are no text": holding(b"\xff\xfe\x00\xd8" * 40),
}
JSON: dict[str, Damage] = {
    **ANY_TEXT,
    "that is a list": text("[1, 2, 3]"),
    "that is a number": text("17"),
    "that is nested 200 000 deep": text(DEEP),
}
COCO: dict[str, Damage] = {
    **JSON,
    "with a box of three numbers": edited(lambda c: BOX(c)["bbox"].pop()),
    "with a box of words": edited(lambda c: BOX(c).update(bbox=["a", "b", "c", "d"])),
    "with a box that is no number": edited(lambda c: BOX(c).update(bbox=[float("nan")] * 4)),
    "with a box of a negative side": edited(lambda c: BOX(c).update(bbox=[5, 5, -3, 4])),
    "with a box far outside": edited(lambda c: BOX(c).update(bbox=[5000, 5000, 9, 9])),
    "with a category that there is not": edited(lambda c: BOX(c).update(category_id=77)),
    "with an image that there is not": edited(lambda c: BOX(c).update(image_id=-4)),
    "with an image outside of its folder": edited(lambda c: IMAGE(c).update(file_name="../../../etc/passwd")),
    "with an image without a name": edited(lambda c: IMAGE(c).pop("file_name")),
    "with an image of another size": edited(lambda c: IMAGE(c).update(height=999)),
    "with a name of 5000 letters": edited(lambda c: IMAGE(c).update(file_name="a" * 5000 + ".jpg")),
    "with a name that holds a zero byte": edited(lambda c: IMAGE(c).update(file_name="a\0b.jpg")),
    "with two annotations of one id": edited(lambda c: c["annotations"][1].update(id=BOX(c)["id"])),
}
XML: dict[str, Damage] = {
    **ANY_TEXT,
    "that is no annotation": text("<html><body>404</body></html>"),
    "whose entities unpack to 3 GB": text(LAUGHS),
    "that reads another file": text(OUTSIDE),
    "with a corner that is a word": swapped("<xmin>1</xmin>", "<xmin>left</xmin>"),
    "with a corner that is no number": swapped("<xmin>1</xmin>", "<xmin>nan</xmin>"),
    "without a corner": swapped("<ymax>24</ymax>", ""),
    "with corners turned round": swapped("<xmax>32</xmax>", "<xmax>-9</xmax>"),
    "with a name that there is not": swapped("<name>dog</name>", "<name>dgo</name>"),
}
MAT: dict[str, Damage] = {
    "of zero bytes": holding(b""),
    "cut in the middle": cut(0.5),
    "that is a text": text("1 2\n3 4\n"),
    "without its variable": lambda path: layouts.mat(path, other=np.zeros((2, 2))),
    "with points of three numbers": lambda path: layouts.head_mat(path, np.zeros((2, 3))),
    "with another count than points": lambda path: layouts.head_mat(path, layouts.heads(3), 7),
    "with points far outside": lambda path: layouts.head_mat(path, layouts.heads(3) + 5000),
    "with points that are no numbers": lambda path: layouts.head_mat(path, layouts.heads(3) * np.nan),
}
LIST: dict[str, Damage] = {
    **{name: damage for name, damage in ANY_TEXT.items() if "cut" not in name},
    "of one column": swapped(" /SegNet", "_SegNet"),
    "that leaves the folder": text("../../../../etc/passwd ../../../../etc/passwd\n"),
    "with a name of 5000 letters": text(f"/SegNet/CamVid/train/{'a' * 5000}.png /SegNet/CamVid/trainannot/a.png\n"),
    "with a zero byte": text("/SegNet/CamVid/train/a\0.png /SegNet/CamVid/trainannot/a.png\n"),
    "with a file that there is not": swapped("train_0001.png", "train_9999.png"),
}
LABELED: dict[str, Damage] = {
    "of zero bytes": holding(b""),
    "of bytes that are no text": holding(b"\xff\xfe\x00\xd8" * 40),
    "with an image that there is not": text("train_7777\n"),
    "with an image twice": text("train_0001\ntrain_0001\n"),
}
YOLO: dict[str, Damage] = {
    "with four numbers a line": text("0 0.5 0.5 0.2\n"),
    "with words": text("person 0.5 0.5 0.2 0.2\n"),
    "with a class that there is not": text("999 0.5 0.5 0.2 0.2\n"),
    "in pixels": text("0 50 50 20 20\n"),
    "with what is no number": text("0 nan 0.5 0.2 0.2\n"),
    "of bytes that are no text": holding(b"\xff\xfe\x00\xd8" * 40),
}
NAMES: dict[str, Damage] = {"that would run code": text(CODE), "without names": text("a: 1\n"), **ANY_TEXT}
CSV: dict[str, Damage] = {
    **{name: damage for name, damage in ANY_TEXT.items() if "cut" not in name},
    "whose header names nothing": text("a,b,c,d\n1,2,3,4\n"),
    "with a word for a number": text("filename,label,x,y\n000.png,head,left,3\n"),
}
POINT_JSON: dict[str, Damage] = {**JSON, "with points that are words": text('{"points": [["a", "b"]]}')}
DEPTH: dict[str, Damage] = {
    "cut in the middle": cut(0.5),
    "that is a pickle": holding(b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"),
    "that says 10 TB": holding(
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (1600000, 1600000), }".ljust(117)
    ),
    "of zero bytes": holding(b""),
}
SALICON: dict[str, Damage] = {
    **JSON,
    "with looks that are words": edited(lambda c: c["annotations"][0].update(fixations=[["a", "b"]])),
    "with an image that there is not": edited(lambda c: c["annotations"][0].update(image_id=-7)),
}


def _own(name: str) -> Callable[[Path], object]:
    """Return a writer of a layout of people's own, over the embedded samples."""
    from tasks.datasets.scenes import Scenes

    layout = own_layouts.LAYOUTS[name]

    def write(root: Path) -> None:
        scenes = Scenes(size=32, train=10, val=1, test=1)
        layout.write(root, [scenes.load("train", index) for index in range(10)])

    return write


FORMATS: list[tuple[str, Callable[[Path], object], str, dict[str, Damage], list[str]]] = [
    ("COCO's JSON", layouts.coco, "annotations/instances_train2017.json", COCO, ["data=coco"]),
    ("VOC's XML", layouts.voc_det, "VOCdevkit/VOC2007/Annotations/2007_a0.xml", XML, ["data=voc_det"]),
    (
        "a .mat file",
        layouts.shanghaitech,
        "part_A_final/train_data/ground_truth/GT_IMG_5.mat",
        MAT,
        ["data=shanghaitech"],
    ),
    ("NWPU's JSON", layouts.nwpu, "jsons/0005.json", POINT_JSON, ["data=nwpu"]),
    ("SALICON's JSON", layouts.salicon, "annotations/fixations_train2014.json", SALICON, ["data=salicon"]),
    ("a list of images", layouts.camvid, "train.txt", LIST, ["data=camvid"]),
    (
        "YOLO's lines",
        _own("yolo"),
        "train/labels/000.txt",
        YOLO,
        ["data=folder", "data.format=yolo", "data.annotations=*/labels/*.txt"],
    ),
    ("names of classes", _own("yolo"), "data.yaml", NAMES, ["data=folder"]),
    ("an array of depth", _own("depth arrays"), "depth/000.npy", DEPTH, ["data=folder", "data.scale=1.0"]),
    (
        "points as CSV",
        _own("points table"),
        "points.csv",
        CSV,
        ["data=folder", "data.format=csv_table", "data.annotations=points.csv"],
    ),
    ("points as JSON", _own("points json table"), "heads.json", JSON, ["data=folder", "data.format=json_table"]),
]


def met(write: Callable[[Path], object], file: str, damage: Damage, words: list[str]) -> Callable[[Path], list[str]]:
    """Write a set with one damaged file, and the command that meets it."""

    def made(folder: Path) -> list[str]:
        write(folder / "set")
        damage(folder / "set" / file)
        return ["data", "verify", *words, "data.root=set"]

    return made


def labeled(damage: Damage) -> Callable[[Path], list[str]]:
    """Write CamVid and a damaged list of labelled images, and the run that meets it."""

    def made(folder: Path) -> list[str]:
        layouts.camvid(folder / "set")
        damage(folder / "labeled.txt")
        return ["run", "task=seg", "method=none", "data=camvid", "data.root=set", "data.labeled=labeled.txt"]

    return made


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield every damage of every format, in a drawn order."""
    found = [
        Malformed(f"{title} {name}", met(write, file, damage, words), [Path(file).name])
        for title, write, file, damages, words in FORMATS
        for name, damage in damages.items()
    ]
    found += [
        Malformed(f"a list of labelled images {name}", labeled(damage), ["labeled.txt"])
        for name, damage in LABELED.items()
    ]
    for each in chance.sample(found, len(found)):
        yield each.case()
