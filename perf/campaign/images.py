"""Images that are damaged, of the wrong kind, too large, animated, or no images at all."""

from __future__ import annotations

import io
import os
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from perf.campaign.case import Case
from perf.campaign.damage import Damage, cut, holding
from perf.campaign.refusals import Malformed
from tests.tasks.datasets import layouts

SIZE = (24, 32)
SIGNATURE = b"\x89PNG\r\n\x1a\n"
FIRST, LABELS = "train/train_0000.png", "trainannot/train_0000.png"


def noise(*shape: int) -> np.ndarray:
    """Draw pixels."""
    return np.random.default_rng(5).integers(0, 256, shape or (*SIZE, 3), np.uint8)


def encoded(array: np.ndarray, form: str, **options: object) -> bytes:
    """Encode pixels."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, form, **options)
    return file.getvalue()


def animation(form: str) -> bytes:
    """Encode three frames that differ."""
    frames = [Image.fromarray(np.roll(noise(), shift, axis=1)) for shift in (0, 5, 9)]
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:])
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """Write one chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def declared(width: int, height: int, content: bytes = b"") -> bytes:
    """Write a PNG that says it has a size, whatever pixels follow."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return SIGNATURE + head + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """Write a PNG whose comment unpacks to 256 MB."""
    whole, bomb = encoded(noise(), "PNG"), zlib.compress(bytes(1 << 28))
    return whole[:33] + chunk(b"zTXt", b"comment\0\0" + bomb) + whole[33:]


def flipped(content: bytes) -> bytes:
    """Turn over bits in the middle of the pixels."""
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 255 for byte in content[middle : middle + 40]) + content[middle + 40 :]


def replaced(make: Callable[[Path], object]) -> Damage:
    """Put something that is no file in a file's place."""

    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


ANY: dict[str, Damage] = {
    "of zero bytes": holding(b""),
    "cut to its first bytes": cut(0.02),
    "cut in the middle": cut(0.5),
    "cut before its end": cut(0.9),
    "that is a text": holding(b"see the other folder\n"),
    "that is a page of an error": holding(b"<!doctype html><title>404</title>"),
    "that is a Git LFS pointer": holding(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
    "of random bytes": holding(noise().tobytes()),
    "with bits turned over": lambda path: path.write_bytes(flipped(path.read_bytes())),
    "of a signature alone": holding(SIGNATURE),
    "that says 60000x60000": holding(declared(60_000, 60_000)),
    "that says 30000x30000 and ends": holding(declared(30_000, 30_000)),
    "that says 0x24": holding(declared(0, 24)),
    "with a comment of 256 MB": holding(text_bomb()),
    "animated, as PNG": holding(animation("PNG")),
    "animated, as GIF": holding(animation("GIF")),
    "animated, as WebP": holding(animation("WEBP")),
    "that is missing": lambda path: path.unlink(),
    "that is a folder": replaced(Path.mkdir),
    "that is a link to nothing": replaced(lambda path: path.symlink_to("nothing.png")),
    "that is a pipe": replaced(os.mkfifo),
}
PHOTOS: dict[str, Damage] = {
    "of 16 bits": holding(encoded(noise().astype(np.uint16)[..., 0] * 257, "PNG")),
    "of floating-point numbers": holding(encoded(noise().astype(np.float32)[..., 0], "TIFF")),
    "cut, as JPEG": holding(encoded(noise(), "JPEG")[:-200]),
    "cut, as JPEG, in its tables": holding(encoded(noise(), "JPEG")[:150]),
    "cut, as BMP": holding(encoded(noise(), "BMP")[:-200]),
}
MAPS: dict[str, Damage] = {
    "in colours": holding(encoded(noise(), "PNG")),
    "with transparency": holding(encoded(noise(*SIZE, 4), "PNG")),
    "with labels that there are not": holding(encoded(np.full(SIZE, 200, np.uint8), "PNG")),
    "of another size": holding(encoded(np.zeros((12, 32), np.uint8), "PNG")),
    "of 16 bits": holding(encoded(np.full(SIZE, 3000, np.uint16), "PNG")),
    "of floating-point numbers": holding(encoded(np.full(SIZE, 0.5, np.float32), "TIFF")),
}


def met(file: str, damage: Damage, words: list[str]) -> Callable[[Path], list[str]]:
    """Write CamVid with one damaged file, and the command that meets it."""

    def write(folder: Path) -> list[str]:
        damage(layouts.camvid(folder / "set") / file)
        return [*words, "data=camvid", "data.root=set"]

    return write


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield every damage of an image and of a label map: verified, and some met by a run."""
    run = ["run", "task=seg", "method=none", "data.size=24", "recipe.steps=2", "recipe.batch=2", "device=cpu"]
    found = [("image", FIRST, name, damage) for name, damage in {**ANY, **PHOTOS}.items()]
    found += [("label map", LABELS, name, damage) for name, damage in {**ANY, **MAPS}.items()]
    for number, (kind, file, name, damage) in enumerate(chance.sample(found, len(found))):
        words = run if number % 4 == 1 else ["data", "verify"]
        yield Malformed(f"{kind} {name}, {words[0]}", met(file, damage, words), [Path(file).name]).case()
