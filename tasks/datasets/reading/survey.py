"""What a folder holds: which files are images, in which format they are annotated, and which belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.datasets.reading.files import fault, is_there
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.formats.json_head import refuse_damaged
from tasks.datasets.reading.listed import Entry, id_of
from tasks.datasets.reading.lots import IMAGES, MAPS, Lot, copies, lots_of, originals
from tasks.datasets.reading.names import USUAL as CLASS_FILES
from tasks.datasets.reading.pair_lists import PAIR_LISTS, read_pairs
from tasks.datasets.reading.pairing import key_of, match
from tasks.datasets.reading.pictures import PICTURES
from tasks.datasets.reading.split_words import word_of
from tasks.datasets.reading.tree import below, chosen, contents, few, files_below, kinds_of
from tasks.errors import InputError

LOOKED_AT = 8  # files of one sort that are looked at, less where there are many sorts
MANY = 40  # sorts of files


@dataclass(frozen=True)
class Reading:
    """One way to read a folder: samples in one format, and the files that were left over."""

    format: type[Format]
    entries: Sequence[Entry]
    names: Mapping[str, str]  # id -> what a file of many calls the image
    bare: Sequence[Path]  # images without an annotation
    loose: Sequence[Path]  # annotations without an image
    absent: Sequence[str]  # images that a file of many names and that are not there
    word: str = ""  # at the end of the names of annotations

    @property
    def files(self) -> list[Path]:
        """The files of annotations."""
        return list(dict.fromkeys(entry.annotation for entry in self.entries))

    def pattern(self, root: Path) -> str:
        """A pattern of the files of annotations, as far as their folder and the ends of their names tell them."""
        folders, suffixes = {path.parent for path in self.files}, {path.suffix for path in self.files}
        folder = below(root, folders.pop()).as_posix() if len(folders) == 1 else "."
        marks = {path.stem[: len(path.stem) - len(self.word)][-1:] for path in self.files}
        if self.word:
            end = f"{marks.pop() if len(marks) == 1 and marks <= set('._-') else ''}{self.word}"
        else:
            end = "[0-9]" if all(map(str.isdigit, marks)) else ""
        return f"{'**' if folder == '.' else folder}/*{end}{suffixes.pop() if len(suffixes) == 1 else '.*'}"


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
            "by data.images=FOLDER data.annotations=FOLDER, or by a pattern such as data.annotations='*_mask.png', and "
            "how they are read by data.format="
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
    listed = next((path for path in files if path.name in PAIR_LISTS), None)
    if shown is None and told is None and listed is not None:
        return Survey(root, files, _paired(root, listed.relative_to(root).as_posix(), offered))
    lots = _annotation_lots(root, files, shown or []) if told is None else lots_of(_no_names(told))
    by_format = _recognised(root, lots, offered, sure=format_ is not None and told is not None)
    maps = [lot for found in by_format.values() for lot in found]
    if told is not None and shown is None:
        maps += _beside(root, files, lots, {name for name, _ in by_format})
    readings = []
    for (name, word), found in by_format.items():
        annotations_ = [path for lot in found for path in lot.files]
        pool = shown if shown is not None else _image_files(root, files, annotations_, maps)
        readings.append(_read(root, offered[name], pool, annotations_, word))
    readings = _joined([each for each in readings if each.entries])
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


def _no_names(files: Sequence[Path]) -> list[Path]:
    """Leave out the files that name classes, which lie among the labels of some sets."""
    return [path for path in files if path.name not in CLASS_FILES]


def _annotation_lots(root: Path, files: Sequence[Path], images: Sequence[Path]) -> list[Lot]:
    """Sort the files that may be annotations: neither images, as their names tell, nor names of classes."""
    lots = lots_of(_no_names(_besides(files, images)))
    shown = {lot.files for lot in originals(root, lots)}
    return [lot for lot in lots if lot.files not in shown]


def _beside(root: Path, files: Sequence[Path], told: Sequence[Lot], names: set[str]) -> list[Lot]:
    """List other maps in the folders of those that were asked for, in their formats: im_1_edge beside im_1_mask."""
    folders, known = {lot.folder for lot in told}, [path for lot in told for path in lot.files]
    shown = {lot.files for lot in originals(root, lots_of(files))}
    lots = [lot for lot in lots_of(_besides(files, known)) if lot.folder in folders and lot.files not in shown]
    found = _recognised(root, lots, dict(formats), sure=False)
    return [lot for (name, _), alike in found.items() if name in names for lot in alike]


def _recognised(
    root: Path, lots: Sequence[Lot], offered: Mapping[str, type[Format]], *, sure: bool
) -> dict[tuple[str, str], list[Lot]]:
    """Sort lots by the format that recognises them, and by the word at the end; ``sure``: the one format is meant."""
    found: dict[tuple[str, str], list[Lot]] = defaultdict(list)
    count = LOOKED_AT if len(lots) <= MANY else 2
    for name, format_ in offered.items():
        fitting = [lot for lot in lots if lot.suffix in format_.suffixes]
        known = fitting if sure else [lot for lot in fitting if format_.recognises(lot.some(count))]
        if not known and len(offered) == 1:  # it was asked for: then suffixes, or names of folders, must do
            known = [lot for lot in fitting if lot.suffix not in PICTURES or lot.hinted(root, MAPS)]
        for lot in known:
            found[name, lot.word].append(lot)
    return found


def _image_files(root: Path, files: Sequence[Path], annotations: Sequence[Path], maps: Sequence[Lot]) -> list[Path]:
    """Tell which pictures are images: no annotations, and no maps but grey ones in a folder that says so."""
    made = copies(lots_of(files))
    known = {lot.files for lot in made}
    others = [lot for lot in maps if lot.files in known or not _maybe_image(root, lot)]
    others += [lot for lot in made if MAPS.search(lot.word)]
    return _besides(_pictures(files), [*annotations, *(path for lot in others for path in lot.files)])


def _maybe_image(root: Path, lot: Lot) -> bool:
    """Whether pictures that look like maps may be grey images, as the names of their folders say."""
    return lot.hinted(root, IMAGES) and not lot.hinted(root, MAPS)


def _read(root: Path, format_: type[Format], images: Sequence[Path], annotations: Sequence[Path], word: str) -> Reading:
    if format_.of_many:
        return _named(root, format_, images, annotations)
    found = match(root, images, annotations)
    entries = [Entry(id_of(root, image), image, file) for image, file in found.pairs.items()]
    return Reading(format_, entries, {}, found.images, found.annotations, (), word)


def _joined(readings: Sequence[Reading]) -> list[Reading]:
    """Make one of the readings in one format that annotate different images: their words tell nothing of the files."""
    by_format: dict[type[Format], list[Reading]] = defaultdict(list)
    for each in readings:
        by_format[each.format].append(each)
    joined: list[Reading] = []
    for format_, parts in by_format.items():
        entries = [entry for each in parts for entry in each.entries]
        known = {entry.image for entry in entries}
        if len(parts) == 1 or len(known) < len(entries):
            joined += parts
            continue
        names = {id_: name for each in parts for id_, name in each.names.items()}
        loose = [path for each in parts for path in each.loose]
        absent = [name for each in parts for name in each.absent]
        left = set.intersection(*(set(each.bare) for each in parts))
        bare = [path for path in parts[0].bare if path in left]
        joined.append(Reading(format_, sorted(entries, key=lambda entry: entry.image), names, bare, loose, absent))
    return joined


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
            image = _nearest(root, name, file, by_name)
            if image is None:
                absent.append(name)
                continue
            entry = Entry(id_of(root, image), image, file)
            entries.append(entry)
            names[entry.id] = name
    known = {entry.image for entry in entries}
    return Reading(format_, entries, names, [path for path in images if path not in known], (), absent)


def _nearest(root: Path, name: str, file: Path, by_name: Mapping[str, Sequence[Path]]) -> Path | None:
    """Find the image of a name, as a file says it; InputError where several are as near."""
    whole = name.replace("\\", "/")
    found = by_name.get(key_of(whole.rpartition("/")[2]), ())
    ending = [path for path in found if key_of(f"/{path.as_posix()}").endswith(key_of(f"/{whole.lstrip('./')}"))]
    found = ending or found

    def near(path: Path) -> tuple[bool, bool, int]:
        split = word_of(below(root, path.parent))
        same = split is not None and split == word_of(below(root, file))
        return path.parent == file.parent, same, len({*path.parts} & {*file.parts})

    ordered = sorted(found, key=near, reverse=True)
    if len(ordered) > 1 and near(ordered[0]) == near(ordered[1]):
        fix = "choose by data.images"
        raise fault(file, f"one image named '{name}'", f"{ordered[0]} and {ordered[1]}", fix)
    return ordered[0] if ordered else None


def _paired(root: Path, pairs: str, offered: Mapping[str, type[Format]]) -> list[Reading]:
    """Read what a list of pairs names, in the formats that its annotations look like."""
    entries = read_pairs(root, pairs)
    there = [entry.annotation for entry in entries if is_there(entry.annotation)]
    some = few(there, LOOKED_AT)
    looked = {each: [path for path in some if path.suffix.lower() in each.suffixes] for each in offered.values()}
    fitting = [each for each, files in looked.items() if files and (len(offered) == 1 or each.recognises(files))]
    return [Reading(each, entries, {}, (), (), ()) for each in fitting]
