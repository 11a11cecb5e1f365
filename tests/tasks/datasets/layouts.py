"""Writers of small datasets in their official layouts, so that readers are tested without downloads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from PIL import Image
from scipy.io import savemat

SPLITS = {"train": 4, "val": 2, "test": 3}


def picture(path: Path, size: tuple[int, int] = (24, 32), seed: int = 0, mode: str = "RGB") -> None:
    """Write random pixels; ``size`` is (H,W)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = size if mode == "L" else (*size, 3)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8)).save(path)


def grey(path: Path, values: np.ndarray) -> None:
    """Write an array as a single-channel PNG, 8 or 16 bits as its type says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def labels(values: list[int], size: tuple[int, int] = (24, 32), seed: int = 0) -> np.ndarray:
    """Draw a map (H,W) uint8 of the given labels; each occurs."""
    drawn = np.random.default_rng(seed).choice(np.array(values, np.uint8), size)
    drawn.ravel()[: len(values)] = values
    return drawn


def truncate(path: Path, keep: float = 0.5) -> None:
    """Cut a file short."""
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])


def camvid(root: Path, counts: Mapping[str, int] = SPLITS) -> Path:
    """Write CamVid as SegNet packages it, with the dead prefix in its lists."""
    for split, count in counts.items():
        lines = []
        for number in range(count):
            name = f"{split}_{number:04d}.png"
            picture(root / split / name, seed=number)
            grey(root / f"{split}annot" / name, labels(list(range(12)), seed=number))
            lines.append(f"/SegNet/CamVid/{split}/{name} /SegNet/CamVid/{split}annot/{name}")
        (root / f"{split}.txt").write_text("\n".join(lines))
    return root


def cityscapes(root: Path, ready: bool = False) -> Path:
    """Write Cityscapes: three training cities of three images, one validation city of two."""
    cities = {"train": ("aachen", "bochum", "ulm"), "val": ("lindau",)}
    for split, names in cities.items():
        for city in names:
            for number in range(3 if split == "train" else 2):
                base = f"{city}_{number:06d}_000019"
                picture(root / "leftImg8bit" / split / city / f"{base}_leftImg8bit.png", seed=number)
                folder = root / "gtFine" / split / city
                if ready:
                    grey(folder / f"{base}_gtFine_labelTrainIds.png", labels([*range(19), 255], seed=number))
                else:
                    grey(folder / f"{base}_gtFine_labelIds.png", labels(list(range(34)), seed=number))
                    picture(folder / f"{base}_gtFine_color.png")
    return root


def voc(root: Path, more: str = "") -> Path:
    """Write VOC 2012 segmentation: 6 training and 3 validation images; ``more``: "aug" or "sbd" adds 4 of SBD."""
    folder = root / "VOCdevkit" / "VOC2012"
    names = {"train": [f"2007_{i:06d}" for i in range(6)], "val": [f"2008_{i:06d}" for i in range(3)]}
    (folder / "ImageSets" / "Segmentation").mkdir(parents=True)
    for split, stems in names.items():
        (folder / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("\n".join(stems) + "\n")
        for number, stem in enumerate(stems):
            picture(folder / "JPEGImages" / f"{stem}.jpg", seed=number)
            palette(folder / "SegmentationClass" / f"{stem}.png", labels([*range(21), 255], seed=number))
    if more:
        extra = [f"2009_{i:06d}" for i in range(4)]
        shared = [names["train"][0], names["val"][0]]
        for number, stem in enumerate([*extra, *shared]):
            values = labels(list(range(21)), seed=50 + number)
            if more == "aug":
                picture(folder / "JPEGImages" / f"{stem}.jpg", seed=number)
                grey(folder / "SegmentationClassAug" / f"{stem}.png", values)
            else:
                sbd = root / "benchmark_RELEASE" / "dataset"
                picture(sbd / "img" / f"{stem}.jpg", seed=number)
                mat(sbd / "cls" / f"{stem}.mat", GTcls={"Segmentation": values, "CategoriesPresent": [1]})
                (sbd / "train.txt").write_text("\n".join([*extra[:3], shared[0]]))
                (sbd / "val.txt").write_text("\n".join([extra[3], shared[1]]))
    return root


def palette(path: Path, values: np.ndarray) -> None:
    """Write indices as a palette PNG whose colours say nothing of the indices."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    image.putpalette([(37 * i + 11 * c) % 256 for i in range(256) for c in range(3)])
    image.save(path)


def mat(path: Path, **variables: Any) -> None:
    """Write a MATLAB file; dicts become structs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, variables)
    content = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + content[116:])  # without the time of writing


def ade20k(root: Path) -> Path:
    """Write ADE20K: 8 training and 3 validation images."""
    folder = root / "ADEChallengeData2016"
    for part, short, count in (("training", "train", 8), ("validation", "val", 3)):
        for number in range(1, count + 1):
            stem = f"ADE_{short}_{number:08d}"
            picture(folder / "images" / part / f"{stem}.jpg", seed=number)
            grey(folder / "annotations" / part / f"{stem}.png", labels(list(range(151)), seed=number))
    return root


def depth(path: Path, size: tuple[int, int] = (24, 32), seed: int = 0) -> None:
    """Write a 16-bit depth map of 500..5000 with some holes."""
    values = np.random.default_rng(seed).integers(500, 5000, size).astype(np.uint16)
    values[:2] = 0
    grey(path, values)


def nyuv2(root: Path, listed: bool = False) -> Path:
    """Write NYU Depth v2 as BTS does: three training scenes of three frames, one test scene of two."""
    scenes = [("sync", "kitchen_0001"), ("sync", "kitchen_0002"), ("sync", "office_0001")]
    for place, scene in [*scenes, ("official_splits/test", "bathroom")]:
        for number in range(3 if place == "sync" else 2):
            picture(root / place / scene / f"rgb_{number:05d}.jpg", seed=number)
            depth(root / place / scene / f"sync_depth_{number:05d}.png", seed=number)
    if listed:
        frames = [(scene, number) for _, scene in scenes for number in (0, 2)]
        lines = [f"/{scene}/rgb_{n:05d}.jpg /{scene}/sync_depth_{n:05d}.png 518.8579" for scene, n in frames]
        (root / "nyudepthv2_train_files_with_gt.txt").write_text("\n".join(lines))
    return root


def nyuv2_labeled(root: Path) -> Path:
    """Write NYU Depth v2 as one MATLAB 7.3 file: 8 images of four scenes, indices 1..5 train and 6..8 test."""
    random = np.random.default_rng(0)
    root.mkdir(parents=True, exist_ok=True)
    with h5py.File(root / "nyu_depth_v2_labeled.mat", "w") as file:
        file["images"] = random.integers(0, 256, (8, 3, 32, 24), np.uint8)  # MATLAB's axes, reversed
        file["depths"] = random.uniform(0.7, 9.0, (8, 32, 24)).astype(np.float32)
        for number, scene in enumerate(("kitchen_0001", "office_0001", "study_0001", "bathroom_0001")):
            file[f"#refs#/{number}"] = np.array([[ord(letter)] for letter in scene], np.uint16)
        names = [file[f"#refs#/{index}"].ref for index in (0, 0, 1, 1, 2, 3, 3, 3)]
        file["scenes"] = np.array([names], dtype=h5py.ref_dtype)
    mat(root / "splits.mat", trainNdxs=np.arange(1, 6)[:, None], testNdxs=np.arange(6, 9)[:, None])
    return root


def kitti(root: Path, raw: str = "", truth: str = "") -> Path:
    """Write KITTI: two training drives of three frames and a test drive of two, one of them without depth."""
    drives = [("2011_09_26", "0001", "train", 3), ("2011_09_28", "0002", "train", 3), ("2011_09_26", "0009", "val", 2)]
    lines: dict[str, list[str]] = {"train": [], "val": []}
    for date, number, split, count in drives:
        drive = f"{date}_drive_{number}_sync"
        for frame in range(5, 5 + count):
            image = f"{date}/{drive}/image_02/data/{frame:010d}.png"
            target = f"{drive}/proj_depth/groundtruth/image_02/{frame:010d}.png"
            picture(root / raw / image, seed=frame)
            if split == "val" and frame == 6:
                target = "None"
            else:
                depth(root / truth / split / target, seed=frame)
            lines[split].append(f"{image} {target} 721.5377")
    (root / "eigen_train_files_with_gt.txt").write_text("\n".join(lines["train"]))
    (root / "eigen_test_files_with_gt.txt").write_text("\n".join(lines["val"]) + "\n")
    return root


def rgbd(root: Path, count: int = 40) -> Path:
    """Write frames as 7-Scenes does, every fifth one; numbers are not padded."""
    for number in range(0, 5 * count, 5):
        picture(root / f"frame-{number}.color.jpg", seed=number)
        depth(root / f"frame-{number}.depth.png", seed=number)
    return root


def coco(root: Path, counts: tuple[int, int] = (12, 4)) -> Path:
    """Write COCO 2017 with three categories whose ids have gaps; every third image is empty, each has a crowd else."""
    categories = [{"id": i, "name": name} for i, name in ((1, "person"), (13, "stop sign"), (90, "toothbrush"))]
    for split, count in zip(("train", "val"), counts, strict=True):
        images, annotations = [], []
        for number in range(1, count + 1) if split == "train" else range(101, 101 + count):
            name = f"{number:012d}.jpg"
            picture(root / f"{split}2017" / name, seed=number)
            images.append({"id": number, "file_name": name, "width": 32, "height": 24})
            if number % 3:
                for category, box, crowd in ((90, [1.5, 2, 10.25, 5], 0), (13, [20, 3, 12, 21], 1)):
                    annotation = {"id": len(annotations) + 1, "image_id": number, "category_id": category}
                    annotations.append(annotation | {"bbox": box, "iscrowd": crowd, "area": 1.0})
        content = {"images": images, "annotations": annotations, "categories": categories}
        path = root / "annotations" / f"instances_{split}2017.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return root


OBJECT = (
    "<object><name>{}</name>{}<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
)
Objects = list[tuple[str, tuple[float, float, float, float], bool | None]]


def xml(path: Path, objects: Objects, size: tuple[int, int] = (24, 32)) -> None:
    """Write a VOC annotation; None leaves ``difficult`` out."""
    text = "".join(
        OBJECT.format(name, "" if difficult is None else f"<difficult>{int(difficult)}</difficult>", *box)
        for name, box, difficult in objects
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    sides = f"<size><width>{size[1]}</width><height>{size[0]}</height><depth>3</depth></size>"
    path.write_text(f"<annotation><filename>other.jpg</filename>{sides}{text}</annotation>")


def voc_year(folder: Path, lists: Mapping[str, Sequence[str]], name: str = "dog") -> None:
    """Write one folder of VOC detection, two objects an image, one of them difficult."""
    for split, stems in lists.items():
        (folder / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(stems))
        for number, stem in enumerate(stems):
            picture(folder / "JPEGImages" / f"{stem}.jpg", seed=number)
            objects: Objects = [(name, (1, 1, 32, 24), False), ("cat", (3.5, 4, 10, 12), True)]
            xml(folder / "Annotations" / f"{stem}.xml", objects)


def voc_det(root: Path, years: Sequence[str] = ("2007", "2012")) -> Path:
    """Write VOCdevkit: 4 + 4 training images of each year, 3 test images of 2007."""
    for year in years:
        train, val = ([f"{year}_{split}{i}" for i in range(4)] for split in ("a", "b"))
        lists = {"train": train, "val": val, "trainval": [*train, *val]}
        if year == "2007":
            lists["test"] = [f"{year}_c{i}" for i in range(3)]
        voc_year(root / "VOCdevkit" / f"VOC{year}", lists)
    return root


def bccd(root: Path) -> Path:
    """Write a set of its own categories in VOC's layout, with a second column in its lists."""
    voc_year(root, {split: [f"{split}_{i}" for i in range(n)] for split, n in SPLITS.items()}, name="RBC")
    for path in (root / "ImageSets" / "Main").iterdir():
        path.write_text("\n".join(f"{line}  {1 - 2 * (i % 2)}" for i, line in enumerate(path.read_text().split())))
    return root


def heads(count: int, seed: int = 0) -> np.ndarray:
    """Draw head points inside 32x24 pixels."""
    return np.random.default_rng(seed).uniform((0, 0), (32, 24), (count, 2))


def head_mat(path: Path, points: np.ndarray, number: int | None = None) -> None:
    """Write ShanghaiTech's nested struct."""
    info = np.empty((1, 1), object)
    info[0, 0] = {"location": points, "number": [[len(points) if number is None else number]]}
    mat(path, image_info=info)


def shanghaitech(root: Path, part: str = "A", folder: str = "part_{}_final", truth: str = "ground_truth") -> Path:
    """Write ShanghaiTech: 11 training and 4 test images with 0, 1, 2, ... heads; one image is grey."""
    for split, count in (("train_data", 11), ("test_data", 4)):
        base = root / folder.format(part) / split
        for number in range(1, count + 1):
            picture(base / "images" / f"IMG_{number}.jpg", seed=number, mode="L" if number == 2 else "RGB")
            head_mat(base / truth / f"GT_IMG_{number}.mat", heads(number - 1, number))
    return root


def ucf_qnrf(root: Path) -> Path:
    """Write UCF-QNRF: 10 training and 3 test images."""
    for split, count in (("Train", 10), ("Test", 3)):
        for number in range(1, count + 1):
            picture(root / "UCF-QNRF_ECCV18" / split / f"img_{number:04d}.jpg", seed=number)
            mat(root / "UCF-QNRF_ECCV18" / split / f"img_{number:04d}_ann.mat", annPoints=heads(number, number))
    return root


def nwpu(root: Path, form: str = "jsons") -> Path:
    """Write NWPU-Crowd: 10 training and 3 validation images, the first without people; a test list without points."""
    lists = {"train": range(1, 11), "val": range(11, 14), "test": range(14, 16)}
    for split, numbers in lists.items():
        for number in numbers:
            picture(root / "images" / f"{number:04d}.jpg", seed=number)
            points = heads(number - 1, number)
            if split != "test" and form == "jsons":
                content = {"img_id": f"{number:04d}.jpg", "human_num": len(points), "points": points.tolist()}
                (root / "jsons").mkdir(exist_ok=True)
                (root / "jsons" / f"{number:04d}.json").write_text(json.dumps(content))
            elif split != "test":
                mat(root / "mats" / f"{number:04d}.mat", annPoints=points)
        (root / f"{split}.txt").write_text("\n".join(f"{number:04d} 1 {number % 5}" for number in numbers))
    return root


def saliency(images: Path, masks: Path, count: int = 10, image_ext: str = "jpg") -> None:
    """Write a folder of images and one of masks, every second of half the size."""
    for number in range(count):
        picture(images / f"im_{number:03d}.{image_ext}", seed=number)
        size = (12, 16) if number % 2 else (24, 32)
        grey(masks / f"im_{number:03d}.png", labels([0, 255], size, seed=number))


def duts(root: Path) -> Path:
    """Write DUTS and two of the other test sets."""
    saliency(root / "DUTS-TR" / "DUTS-TR-Image", root / "DUTS-TR" / "DUTS-TR-Mask", 12)
    saliency(root / "DUTS-TE" / "DUTS-TE-Image", root / "DUTS-TE" / "DUTS-TE-Mask", 3)
    saliency(root / "ECSSD" / "images", root / "ECSSD" / "ground_truth_mask", 10)
    saliency(root / "HKU-IS" / "imgs", root / "HKU-IS" / "gt", 4, "png")
    return root


def _looks(densities: Path, stem: str, points: Path | None = None) -> None:
    """Write a density and, where asked for, a map of points."""
    random = np.random.default_rng(int(stem[-2:]))
    grey(densities / f"{stem}.png", random.integers(0, 256, (24, 32), np.uint8))
    if points is not None:
        grey(points / f"{stem}.png", np.where(random.random((24, 32)) < 0.02, 255, 0).astype(np.uint8))


def dhf1k(root: Path) -> Path:
    """Write DHF1K: three training clips and a validation clip of four frames each, a clip whose looks are secret."""
    for clip in ("0001", "0002", "0600", "0601", "0701"):
        for number in range(1, 5):
            picture(root / "frames" / clip / f"{number:04d}.png", seed=number)
            if clip != "0701":
                looks = root / "annotation" / clip
                _looks(looks / "maps", f"{number:04d}", looks / "fixation")
    return root


def into_videos(frames: Path, videos: Path, frames_each: int | None = None) -> None:
    """Turn folders of frames, named by numbers, into ``601.AVI`` and the like (Motion JPEG), and remove them."""
    videos.mkdir()
    for folder in sorted(frames.iterdir()):
        pictures = [cv2.imread(str(path)) for path in sorted(folder.iterdir())][:frames_each]
        size = pictures[0].shape[1::-1]
        writer = cv2.VideoWriter(str(videos / f"{int(folder.name):03d}.AVI"), cv2.VideoWriter_fourcc(*"MJPG"), 30, size)
        for each in pictures:
            writer.write(each)
        writer.release()
    shutil.rmtree(frames)


def avs1k(root: Path) -> Path:
    """Write AVS1K: two training clips and one of each other split, three frames each."""
    clips = {"trainSet": ("Human_00001", "Vehicle_00002"), "validSet": ("Others_00003",), "testSet": ("Human_00004",)}
    for part, names in clips.items():
        for clip in names:
            for number in range(3):
                base = root / "2020-TIP-Fu-MMNet" / part
                picture(base / "Frame" / clip / f"{clip}_{number:05d}.png", seed=number)
                _looks(base / "Ground" / clip, f"{clip}_{number:05d}")
    return root


def mit1003(root: Path, count: int = 10) -> Path:
    """Write MIT1003: JPEG images, densities and points."""
    maps = root / "ALLFIXATIONMAPS"
    for number in range(count):
        picture(root / "ALLSTIMULI" / f"i{number:02d}.jpeg", seed=number)
        picture(maps / f"i{number:02d}_fixMap.jpg", seed=number, mode="L")
        marks = np.zeros((24, 32), np.uint8)
        marks[number, 5] = 255
        Image.fromarray(marks).save(maps / f"i{number:02d}_fixPts.jpg", quality=100)
    return root


def salicon(root: Path) -> Path:
    """Write SALICON: 8 training and 3 validation images, two viewers each, who both look at the very corner."""
    (root / "annotations").mkdir(parents=True)
    for split, count in (("train", 8), ("val", 3)):
        images = [{"id": i, "file_name": f"COCO_{split}2014_{i:012d}.jpg"} for i in range(count)]
        looks = [{"image_id": i // 2, "fixations": [[1 + i // 2, 2 + i % 2], [24, 32]]} for i in range(2 * count)]
        for number, image in enumerate(images):
            picture(root / "images" / split / str(image["file_name"]), seed=number)
        content = {"images": images, "annotations": looks}
        (root / "annotations" / f"fixations_{split}2014.json").write_text(json.dumps(content))
    return root


def clipfolder(root: Path) -> Path:
    """Write five clips of three frames, with densities and points."""
    for clip in "abcde":
        for number in range(3):
            picture(root / "frames" / clip / f"{number:02d}.jpg", seed=number)
            _looks(root / "maps" / clip, f"{number:02d}", root / "points" / clip)
    return root
