"""What a folder holds: which files are images, in which format they are annotated, and which belong together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.datasets.reading.files import fault, read_lines
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.formats.json_head import refuse_damaged
from tasks.datasets.reading.listed import Entry
from tasks.datasets.reading.pairing import key_of, match, roles
from tasks.datasets.reading.pictures import PICTURES
from tasks.datasets.reading.split_words import word_of
from tasks.datasets.reading.tree import chosen, contents, few, files_below, kinds_of
from tasks.errors import InputError

LOOKED_AT = 8  # files of one sort that are looked at, less where there are many sorts
MANY = 40  # sorts of files
PAIRS = ("associations.txt", "associate.txt")  # lists of pairs that are read unasked
SUFFIXES = frozenset({*PICTURES, ".npy", ".exr", ".xml", ".txt", ".mat", ".csv", ".json"})
IMAGES = re.compile(r"image|img|rgb|colou?r|photo|picture|frame|jpeg|stimul|input|left|cell", re.IGNORECASE)
MAPS = re.compile(r"mask|label|annot|truth|gt|seg|depth|map|dots|density|fix|sal|disp|matte|alpha", re.IGNORECASE)


@dataclass(frozen=True)
class Lot:
    """Files of one sort: of one folder, one suffix, and one word at the end of their names."""

    folder: Path
    suffix: str
    word: str
    files: tuple[Path, ...]

    def hinted(self, root: Path, words: re.Pattern[str]) -> bool:
        """Whether the names of folders, or the word at the end, say what the files are."""
        return bool(words.search("/".join((*self.folder.relative_to(root).parts, self.word))))


@dataclass(frozen=True)
class Reading:
    """One way to read a folder: samples in one format, and the files that were left over."""

    format: type[Format]
    entries: Sequence[Entry]
    names: Mapping[str, str]  # id -> what a file of many calls the image
    bare: Sequence[Path]  # images without an annotation
    loose: Sequence[Path]  # annotations without an image
    absent: Sequence[str]  # images that a file of many names and that are not there

    @property
    def files(self) -> list[Path]:
        """The files of annotations."""
        return list(dict.fromkeys(entry.annotation for entry in self.entries))


@dataclass(frozen=True)
class Survey:
    """All files of a folder and every way to read it, the one with most samples first."""

    root: Path
    files: Sequence[Path]
    readings: Sequence[Reading]

    def explain(self) -> str:
        """Say in one line what was looked for and what there was."""
        return (
            f"data.root={self.root}: expected images and annotations that belong together, by folders or by the names "
            f"of files; found {kinds_of(self.files) if self.files else 'no files'} in {contents(self.root)}; name them "
            "by data.images=FOLDER data.annotations=FOLDER, and how they are read by data.format="
            f"{'|'.join(sorted(formats))}"
        )


def survey(
    root: Path,
    images: str | None = None,
    annotations: str | None = None,
    format_: str | None = None,
    pairs: str | None = None,
) -> Survey:
    """Look through a folder; each option, relative to ``root``, leaves less to be found out.

    Args:
        root: the folder.
        images: a folder or a pattern of images.
        annotations: a folder, a file or a pattern of annotations.
        format_: how annotations are read.
        pairs: a list file with the paths of an image and of its annotation a line, others between them.

    Raises InputError where an option names nothing, or two images have one name.
    """
    files = files_below(root)
    offered = {format_: formats[format_]} if format_ is not None else dict(formats)
    if pairs is not None:
        return Survey(root, files, _paired(root, pairs, offered))
    shown = _pictures(chosen(root, images, "images")) if images is not None else None
    told = chosen(root, annotations, "annotations") if annotations is not None else None
    if images is not None and not shown:
        raise InputError(f"data.images={images}: expected pictures ({', '.join(sorted(PICTURES))}), found none")
    listed = next((path for path in files if path.name in PAIRS), None)
    if shown is None and told is None and listed is not None:
        return Survey(root, files, _paired(root, listed.relative_to(root).as_posix(), offered))
    lots = _lots(told if told is not None else _besides(files, shown or []))
    by_format = _recognised(root, lots, offered, sure=format_ is not None and told is not None)
    readings = []
    for (name, _), found in by_format.items():
        annotations_ = [path for lot in found for path in lot.files]
        pool = shown if shown is not None else _image_files(root, files, annotations_, by_format)
        readings.append(_read(root, offered[name], pool, annotations_))
    readings = [each for each in readings if each.entries]
    if not readings:
        refuse_damaged(files)
        if told is not None and format_ is not None:
            shown_names = ", ".join(path.name for path in told[:3])
            expected = f"annotations that data.format={format_} reads and that name an image"
            raise InputError(f"data.annotations={annotations}: expected {expected}, found none in {shown_names}")
    return Survey(root, files, sorted(readings, key=lambda each: -len(each.entries)))


def _pictures(files: Sequence[Path]) -> list[Path]:
    return [path for path in files if path.suffix.lower() in PICTURES]


def _besides(files: Sequence[Path], taken: Sequence[Path]) -> list[Path]:
    known = set(taken)
    return [path for path in files if path not in known]


def _lots(files: Sequence[Path]) -> list[Lot]:
    """Sort files by folder, suffix and the word at the end of their names."""
    words = roles(files)
    sorted_: dict[tuple[Path, str, str], list[Path]] = defaultdict(list)
    for path in files:
        sorted_[path.parent, path.suffix.lower(), words.get(path, "")].append(path)
    return [Lot(*key, tuple(paths)) for key, paths in sorted_.items()]


def _recognised(
    root: Path, lots: Sequence[Lot], offered: Mapping[str, type[Format]], *, sure: bool
) -> dict[tuple[str, str], list[Lot]]:
    """Sort lots by the format that recognises them, and by the word at the end; ``sure``: the one format is meant."""
    found: dict[tuple[str, str], list[Lot]] = defaultdict(list)
    count = LOOKED_AT if len(lots) <= MANY else 2
    for name, format_ in offered.items():
        fitting = [lot for lot in lots if lot.suffix in format_.suffixes]
        known = fitting if sure else [lot for lot in fitting if format_.recognises(few(lot.files, count))]
        if not known and len(offered) == 1:  # it was asked for: then suffixes, or names of folders, must do
            known = [lot for lot in fitting if lot.suffix not in PICTURES or lot.hinted(root, MAPS)]
        for lot in known:
            found[name, lot.word].append(lot)
    return found


def _image_files(
    root: Path,
    files: Sequence[Path],
    annotations: Sequence[Path],
    by_format: Mapping[tuple[str, str], Sequence[Lot]],
) -> list[Path]:
    """Tell which pictures are images: those that are no annotations, but grey ones in a folder that says so."""
    lots = _lots(_pictures(_besides(files, annotations)))
    maps = {lot.files for found in by_format.values() for lot in found if not _maybe_image(root, lot)}
    return [path for lot in lots if lot.files not in maps for path in lot.files]


def _maybe_image(root: Path, lot: Lot) -> bool:
    """Whether pictures that look like maps may be grey images, as the names of their folders say."""
    return lot.hinted(root, IMAGES) and not lot.hinted(root, MAPS)


def _read(root: Path, format_: type[Format], images: Sequence[Path], annotations: Sequence[Path]) -> Reading:
    if format_.of_many:
        return _named(root, format_, images, annotations)
    found = match(images, annotations)
    entries = [Entry(id_of(root, image), image, file) for image, file in found.pairs.items()]
    return Reading(format_, entries, {}, found.images, found.annotations, ())


def id_of(root: Path, image: Path) -> str:
    """Name a sample: the path of its image in the root, without the suffix."""
    return image.relative_to(root).with_suffix("").as_posix()


def _named(root: Path, format_: type[Format], images: Sequence[Path], files: Sequence[Path]) -> Reading:
    """Find the images that files of many speak of: by name, in the folder that is nearest to the file."""
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in images:
        for name in {key_of(path.name), key_of(path.stem)}:
            by_name[name].append(path)
    reader = format_()
    reader.learn(root, files)
    entries, names, absent = [], {}, []
    for file in files:
        for name in reader.named(file):
            image = _nearest(name, file, by_name)
            if image is None:
                absent.append(name)
                continue
            entry = Entry(id_of(root, image), image, file)
            entries.append(entry)
            names[entry.id] = name
    known = {entry.image for entry in entries}
    return Reading(format_, entries, names, [path for path in images if path not in known], (), absent)


def _nearest(name: str, file: Path, by_name: Mapping[str, Sequence[Path]]) -> Path | None:
    """Find the image of a name, as a file says it; InputError where several are as near."""
    whole = name.replace("\\", "/")
    found = by_name.get(key_of(whole.rpartition("/")[2]), ())
    ending = [path for path in found if key_of(f"/{path.as_posix()}").endswith(key_of(f"/{whole.lstrip('./')}"))]
    found = ending or found

    def near(path: Path) -> tuple[bool, bool, int]:
        split = word_of(path.parent)
        same = split is not None and split == word_of(Path(*file.parts[-2:]))
        return path.parent == file.parent, same, len({*path.parts} & {*file.parts})

    ordered = sorted(found, key=near, reverse=True)
    if len(ordered) > 1 and near(ordered[0]) == near(ordered[1]):
        fix = "choose by data.images"
        raise fault(file, f"one image named '{name}'", f"{ordered[0]} and {ordered[1]}", fix)
    return ordered[0] if ordered else None


def _paired(root: Path, pairs: str, offered: Mapping[str, type[Format]]) -> list[Reading]:
    """Read a list of pairs, such as TUM's associations.txt; InputError where a line has no two files."""
    path = root / Path(pairs).expanduser()
    entries = []
    for line in read_lines(path):
        if line.startswith("#"):
            continue
        files = [root / cell for cell in re.split(r"[\s,;]+", line) if Path(cell).suffix.lower() in SUFFIXES]
        if len(files) != 2:
            raise fault(path, "the files of an image and of its annotation a line", f"'{line}'", "mend the line")
        entries.append(Entry(id_of(root, files[0]), *files))
    there = [entry.annotation for entry in entries if entry.annotation.is_file()]
    some = few(there, LOOKED_AT)
    looked = {each: [path for path in some if path.suffix.lower() in each.suffixes] for each in offered.values()}
    fitting = [each for each, files in looked.items() if files and (len(offered) == 1 or each.recognises(files))]
    return [Reading(each, entries, {}, (), (), ()) for each in fitting]
