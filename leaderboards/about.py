"""What a folder of records says about itself: a caption for its boards, and the tracks that no matrix may hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, ValidationError

from leaderboards.attachments import home
from leaderboards.errors import RecordError, explain
from leaderboards.record_parts import Part
from leaderboards.values import Identifier

FILE = "about.json"  # beside the folder of records


class About(Part):
    """What a reader must know before the first number."""

    title: str = Field(default="", description="What the boards show, in one line that stands over all of them.")
    text: str = Field(default="", description="Why, in a few sentences.")
    excluded: dict[Identifier, str] = Field(
        default={}, description="Track that takes no part in matrices -> the reason, a sentence."
    )


def read(paths: Iterable[str | Path]) -> About:
    """Read what the homes of records say about themselves, several in the order of the paths; most say nothing.

    ``paths`` are the files and folders that the records were read from. Raises RecordError, naming the file and the
    field, for one that cannot be understood.
    """
    files = [folder / FILE for folder in dict.fromkeys(map(home, paths))]
    said = [_read_one(file) for file in files if file.is_file()]
    return About(
        title="; ".join(about.title for about in said if about.title),
        text=" ".join(about.text for about in said if about.text),
        excluded={track: reason for about in said for track, reason in about.excluded.items()},
    )


def _read_one(file: Path) -> About:
    try:
        return About.model_validate_json(file.read_bytes(), strict=True)
    except ValidationError as error:
        raise RecordError(f"{file}: {explain(error)}; known fields: {', '.join(About.model_fields)}") from None
