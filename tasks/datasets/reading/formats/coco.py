"""COCO's JSON of boxes, as one or several files, wherever the images are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tasks.base import Boxes, Info
from tasks.datasets.reading.boxes import box_faults, usable
from tasks.datasets.reading.coco_json import CocoFile, read_coco
from tasks.datasets.reading.files import fault, size_text
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.formats.json_head import top_keys


@formats.register("coco")
class Coco(Format):
    """Boxes of COCO's JSON; categories without a box, such as the super-category of Roboflow's export, are left out."""

    title: ClassVar[str] = "COCO's JSON of boxes"
    kinds: tuple[str, ...] = ("boxes",)
    suffixes: ClassVar[frozenset[str]] = frozenset({".json"})
    of_many: ClassVar[bool] = True

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """The three lists that COCO's JSON has."""
        return all({"images", "annotations", "categories"} <= top_keys(path) for path in files)

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Read the files, whose categories must be the same."""
        self.files: dict[Path, CocoFile] = {path: read_coco(path) for path in files}
        first, *rest = files
        categories = self.files[first].categories
        for path in rest:
            if self.files[path].categories != categories:
                different = dict(sorted(set(self.files[path].categories.items()) ^ set(categories.items())))
                raise fault(path, f"the categories of {first.name}", f"others: {different}", "use files of one release")
        used = {
            int(label)
            for each in self.files.values()
            for record in each.records.values()
            for label in record.boxes.labels
        }
        kept = [label for label in range(len(categories)) if label in used]
        ids, names = list(categories), list(categories.values())
        self.labels = {label: number for number, label in enumerate(kept)}
        self.info = Info(
            categories=tuple(names[label] for label in kept), category_ids=tuple(ids[label] for label in kept)
        )

    def named(self, file: Path) -> Sequence[str]:
        """The images of a file."""
        return list(self.files[file].records)

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """The boxes of an image, clipped to it; InputError where the image has another size than the file says."""
        record = self.files[file].records[image]
        if size is not None and size != record.size:
            turned = size == record.size[::-1]
            fix = "is it turned by its EXIF entry? See data.exif" if turned else "boxes and image must be of one scale"
            raise fault(file, f"{image} of {size_text(size)} pixels, its size", size_text(record.size), fix)
        return {"boxes": usable(self._boxes(file, image), record.size)}

    def doubts(self, file: Path, image: str, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Boxes that are left out or clipped."""
        return box_faults(file.with_name(f"{file.name}, image {image}"), self._boxes(file, image), size)

    def oddities(self) -> list[str]:
        """Ids of annotations that are used twice."""
        return [text for each in self.files.values() for text in each.faults]

    def _boxes(self, file: Path, image: str) -> Boxes:
        boxes = self.files[file].records[image].boxes
        labels = boxes.labels.copy()
        labels[:] = [self.labels[label] for label in boxes.labels.tolist()]
        return Boxes(boxes.xyxy, labels, boxes.difficult)
