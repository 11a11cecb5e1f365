"""A folder of one's own: images and annotations in any of the usual formats."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from tasks.annotations.kind import kinds
from tasks.base import datasets
from tasks.datasets.reading.faults import counted
from tasks.datasets.reading.files import data_root, fault, read_image, too_deep
from tasks.datasets.reading.formats.base import Format
from tasks.datasets.reading.listed import Entry, ListedDataset, id_of
from tasks.datasets.reading.pictures import Head, head
from tasks.datasets.reading.split_words import word_of
from tasks.datasets.reading.splitting import Divide, Splitting
from tasks.datasets.reading.survey import Reading, Survey, survey
from tasks.datasets.reading.tree import few
from tasks.errors import InputError
from tasks.registry import options

MANY = 8  # folders of images: more are clips, scenes or drives
GAP = 2  # neighbours of a sequence that are left out between two splits
DRIVE = re.compile(r"drive_\d+")
FEW = 3  # folders that repeat the names of files are clips too, as many as there are splits
LAYOUT = "images and annotations, matched by the names of files"


@datasets.register("folder")
class Folder(ListedDataset):
    """Images and annotations of one's own, wherever they lie below a folder; `benchmark data inspect` finds options.

    All that is not said is found out from the files, the same way each time: which are images, in which format the
    annotations are, which belong together, and whether folders or lists name splits. Paths are relative to ``root``.

    Args:
        root: the folder.
        images: folder or pattern of the images.
        annotations: folder, file or pattern of the annotations.
        format: how annotations are read, see ``tasks.datasets.reading.formats``; auto finds out.
        kind: which kind of annotation is meant, where there are several.
        pairs: list file with an image and its annotation a line, such as TUM's associations.txt.
        classes: names of the classes, a list or a file; with colours for colour masks.
        ignore: labels that count nowhere, or names of colours.
        threshold: grey value above which a grey map is the object.
        points: folder of maps of fixation points, beside the densities.
        sigma: width of a look in pixels, where there are fixations without densities.
        scale: stored value of a metre of depth.
        invalid: stored values that are no depth.
        cap: largest depth that counts in metrics, metres.
        train: list file, or folder, of the training images.
        val: the same for validation.
        test: the same for testing.
        holdout: share of the training images that validate where train and one other split are told.
        fractions: shares of train, val and test where nothing tells the splits.
        divide: random, or time: the order of the names.
        gap: images left out between two splits that are divided by time.
        group: images that stay together: folder, or a regular expression whose match in an id names the group.
        missing: refuse a set of which images lack an annotation, or skip those images.
        exif: refuse images that an EXIF entry turns, apply it, or ignore it.
    """

    title: ClassVar[str] = "Images and annotations of a folder"
    license: ClassVar[str] = "that of the files"
    provides = frozenset(kinds)  # any of them; an instance has those that it found
    general: ClassVar[bool] = True

    def __init__(
        self,
        *,
        root: str | None = None,
        images: str | None = None,
        annotations: str | None = None,
        format: str = "auto",
        kind: str | None = None,
        pairs: str | None = None,
        classes: Any = None,
        ignore: Any = None,
        threshold: float | None = None,
        points: str | None = None,
        sigma: float | None = None,
        scale: float | None = None,
        invalid: Any = None,
        cap: float | None = None,
        train: str | None = None,
        val: str | None = None,
        test: str | None = None,
        holdout: float = 0.1,
        fractions: Sequence[float] = (0.7, 0.1, 0.2),
        divide: Divide = "random",
        gap: int = 0,
        group: str | None = None,
        missing: Literal["refuse", "skip"] = "refuse",
        exif: Literal["refuse", "apply", "ignore"] = "refuse",
    ) -> None:
        top = data_root(root, LAYOUT).absolute()
        found = survey(top, images, annotations, None if format == "auto" else format, pairs)
        reading = _chosen(found, kind)
        given = {"classes": classes, "ignore": ignore, "threshold": threshold, "points": points, "sigma": sigma}
        given |= {"scale": scale, "invalid": invalid, "cap": cap}
        self.format = _made(reading.format, {key: value for key, value in given.items() if value is not None})
        self.format.learn(top, reading.files)
        if kind is not None:
            self.format.ask(kind)
        self.provides = frozenset(self.format.kinds if kind is None else {kind})  # type: ignore[misc]
        self.info = self.format.info
        self.names, self.exif = reading.names, exif
        self.left_out = [path.relative_to(top).as_posix() for path in reading.bare]
        self.loose = [path.relative_to(top).as_posix() for path in reading.loose]
        splitting = Splitting(train, val, test, holdout, tuple(fractions), divide, gap, group)
        skipped = [id_of(top, path) for path in reading.bare] if missing == "skip" else []
        division = splitting.split(top, reading.entries, found.files, skipped)
        self.how, self._fixes = division.how, division.fixes
        self._group_of = splitting.group_of() if group is not None else None
        if missing == "refuse" and not division.listed:
            _refuse_bare(top, reading)
        told = {**self.format.identity, "provides": sorted(self.provides), "exif": exif}
        super().__init__(top, division.splits, format=reading.format.name, told=repr(sorted(told.items())))

    @classmethod
    def proposals(cls, root: Path) -> Iterator[Mapping[str, Any]]:
        """Yield the options of every way to read a folder, the one with most samples first."""
        top = root.absolute()
        found = survey(top)
        for reading in found.readings:
            told = _choice(top, reading, found.readings)
            for chosen in reading.format.suggests(top, few(reading.files, 8)):
                yield {**told, **chosen, **_gaps(reading), **_splits(reading)}
        if not found.readings:
            raise InputError(found.explain())

    def group(self, sample_id: str) -> str:
        """Name what a sample belongs to: its folder or match, as ``data.group`` says; without it, itself."""
        return super().group(sample_id) if self._group_of is None else self._group_of(sample_id)

    def image(self, entry: Entry) -> np.ndarray:
        """Read an image; one that its EXIF entry turns is an error, unless ``exif`` says what is to be done."""
        if self.exif == "refuse" and entry.image.is_file() and (found := self._unfit(entry.image, head(entry.image))):
            raise found
        return read_image(entry.image, turn=self.exif == "apply")

    def glance(self) -> list[str]:
        """Name the images of more than 8 bits, those that an EXIF entry turns, and what is no image."""
        found = [self._unfit(path, each) if isinstance(each, Head) else each for path, each in self._heads.items()]
        return [str(each) for each in found if each is not None]

    def small_set_fixes(self) -> Sequence[str]:
        """List the options that apply to how this set is divided."""
        return self._fixes

    def manifest(self) -> str:
        """Hash the set, as every ``ListedDataset`` does; InputError too where a glance shows an image of no use."""
        self._refuse(self.glance())
        return super().manifest()

    def exact(self) -> Iterator[Path]:
        """List annotations, as label maps may keep their size when they are edited, and uncompressed images."""
        for entry in self._unique():
            yield from (entry.annotation, *self.format.beside(entry.annotation))
            if entry.image.suffix.lower() == ".bmp":
                yield entry.image

    def remarks(self) -> dict[str, str]:
        """How splits came about, what the images are, and which files were left out."""
        counts = Counter(str(each) for each in self._heads.values() if isinstance(each, Head))
        images = ", ".join(f"{counts[kind]} {kind}" for kind in sorted(counts, key=lambda kind: (-counts[kind], kind)))
        bare = {"left out": counted("images without an annotation", self.left_out)} if self.left_out else {}
        loose = {"not used": counted("annotations without an image", self.loose)} if self.loose else {}
        return {"format": self.format.title, "splits": self.how, "images": images, **bare, **loose}

    @cached_property
    def _heads(self) -> dict[Path, Head | InputError]:
        """The first bytes of every image, or why they tell nothing."""
        found: dict[Path, Head | InputError] = {}
        for entry in self._unique():
            try:
                found[entry.image] = head(entry.image)
            except InputError as error:
                found[entry.image] = error
        return found

    def _unfit(self, path: Path, image: Head) -> InputError | None:
        """Say why an image cannot be used as the options have it."""
        if found := too_deep(path, image.mode):
            return found
        if image.turned and self.exif == "refuse":
            fix = "say data.exif=apply if annotations fit the image as it is shown, data.exif=ignore if as it is stored"
            return fault(path, "an image as it is stored", "an EXIF entry that turns it", fix)
        return None

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the annotations of the kinds that the set is used for."""
        read = self.format.read(entry.annotation, self.names.get(entry.id, entry.id), size)
        return {kind: value for kind, value in read.items() if kind in self.provides}

    def structure(self) -> list[str]:
        """Name what is wrong with the lists, and what the format finds odd in its files."""
        return super().structure() + self.format.oddities()

    def doubts(self, entry: Entry, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name what the format doubts."""
        return self.format.doubts(entry.annotation, self.names.get(entry.id, entry.id), size, annotations)


def _chosen(found: Survey, kind: str | None) -> Reading:
    """Choose the one way to read a folder; InputError where there is none, or several of as many kinds."""
    if kind is not None:
        kinds[kind]
    fitting = [each for each in found.readings if kind is None or kind in (*each.format().kinds, *each.format.also)]
    if not fitting:
        there = ", ".join(f"{each.format.name} ({', '.join(each.format().kinds)})" for each in found.readings)
        raise InputError(f"data.kind={kind}: found {there} in {found.root}" if there else found.explain())
    if len(fitting) > 1:
        ways = "; ".join(_way(found.root, each, fitting) for each in fitting)
        raise InputError(f"data.root={found.root}: expected one kind of annotation, found several; choose {ways}")
    return fitting[0]


def _choice(root: Path, reading: Reading, among: Sequence[Reading]) -> dict[str, Any]:
    """Propose the option that chooses a reading: its format, or the pattern of its files where formats are alike."""
    if len(among) == 1:
        return {}
    alike = sum(each.format is reading.format for each in among) > 1
    return {"annotations": reading.pattern(root)} if alike else {"format": reading.format.name}


def _way(root: Path, reading: Reading, among: Sequence[Reading]) -> str:
    ((key, value),) = _choice(root, reading, among).items()
    return f"data.{key}={shlex.quote(value)}: {reading.format.title}, {len(reading.entries)} images"


def _made(format_: type[Format], given: Mapping[str, Any]) -> Format:
    """Build a format; InputError for an option that it does not take."""
    for key in given:
        if key not in options(format_):
            takes = ", ".join(f"data.{each}" for each in options(format_)) or "none"
            raise InputError(f"data.{key}: format '{format_.name}' does not take it; it takes {takes}")
    return format_(**given)


def _gaps(reading: Reading) -> dict[str, Any]:
    """Propose to skip images without an annotation where they are few among the others, or in folders of their own."""
    folders = {entry.image.parent for entry in reading.entries}
    among = sum(path.parent in folders for path in reading.bare)
    return {"missing": "skip"} if reading.bare and among < len(reading.entries) else {}


def _splits(reading: Reading) -> dict[str, Any]:
    """Propose how frames of a sequence are divided: those of one folder by time, those of many by folder."""
    if all(DRIVE.search(entry.id) for entry in reading.entries):
        return {"group": DRIVE.pattern}  # several cameras of a drive have folders of their own
    folders = {entry.image.parent for entry in reading.entries}
    names = {entry.image.name for entry in reading.entries}
    unnamed = not any(word_of(Path(folder.name)) for folder in folders)  # train, val and test repeat names as well
    repeated = unnamed and len(folders) >= FEW and 2 * len(names) <= len(reading.entries)
    if len(folders) > MANY or repeated:
        return {"group": "folder"}
    numbered = all(re.fullmatch(r"\D*\d{4,}\D*", entry.image.stem) for entry in reading.entries)
    if not numbered or len(folders) > 1 or "depth" not in reading.format().kinds:
        return {}
    validating = len(reading.entries) // 10  # by the default of ``fractions``
    return {"divide": "time", "gap": max(0, min(GAP, validating - 1))}


def _refuse_bare(root: Path, reading: Reading) -> None:
    """Raise InputError where images lack an annotation, or a file speaks of images that are not there."""
    fix = "data.missing=skip leaves them out"
    if reading.absent:
        what = f"{root}: images that {reading.format.title} names and that are not there"
        raise InputError(counted(what, reading.absent, fix))
    if reading.bare:
        bare = [path.relative_to(root).as_posix() for path in reading.bare]
        raise InputError(counted(f"{root}: images without an annotation ({reading.format.title})", bare, fix))
