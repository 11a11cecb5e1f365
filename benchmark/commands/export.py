"""``benchmark export``: a trained student as a file that runs without this package."""

from __future__ import annotations

import importlib.util
import json
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape
from torch import Tensor, nn

from benchmark.runs.finished_run import Stored, open_stored
from leaderboards.atomic import atomic_write
from leaderboards.values import sha256_of
from tasks.base import MEAN, STD, Task
from tasks.errors import InputError, nearest
from tasks.networks.build import build_network

TOLERANCE = 1e-4  # of the largest difference, relative to the largest output or 1
BATCHES = (2, 3)  # of the example that is traced, and of the other one that is compared


class Deployed(nn.Module):
    """A student that returns its raw maps alone.

    ``image`` is float32 (N,3,H,W): RGB in [0, 1], less ``tasks.base.MEAN``, over ``tasks.base.STD``, as
    ``tasks.data.pixels.normalised`` gives it. The maps are a tuple of (N,C,h,w): one, or one a pyramid level.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Map images to maps."""
        return tuple(self.network(image).maps)


@dataclass(frozen=True)
class Format:
    """A file format: its suffix, the packages that it needs, how to write a file and how to run one."""

    suffix: str
    needs: tuple[str, ...]
    save: Callable[[nn.Module, Tensor, Path], None]
    load: Callable[[Path], Callable[[Tensor], Sequence[Tensor]]]


def _save_torch(network: nn.Module, example: Tensor, path: Path) -> None:
    torch.export.save(torch.export.export(network, (example,), dynamic_shapes=_dynamic()), path)


def _load_torch(path: Path) -> Callable[[Tensor], Sequence[Tensor]]:
    module: Callable[[Tensor], Sequence[Tensor]] = torch.export.load(path).module()
    return module


def _save_onnx(network: nn.Module, example: Tensor, path: Path) -> None:
    with torch.no_grad():
        names = [f"map{i}" for i in range(len(network(example)))]
    program = torch.onnx.export(
        network,
        (example,),
        dynamo=True,
        dynamic_shapes=_dynamic(),
        input_names=["image"],
        output_names=names,
        verbose=False,
    )
    assert program is not None
    program.save(path, external_data=False)


def _load_onnx(path: Path) -> Callable[[Tensor], Sequence[Tensor]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda image: [torch.from_numpy(level) for level in session.run(None, {"image": image.numpy()})]


def _dynamic() -> dict[str, Any]:
    return {"image": {0: torch.export.Dim("batch", min=1)}}


FORMATS: Mapping[str, Format] = {
    "torch-export": Format(".pt2", (), _save_torch, _load_torch),
    "onnx": Format(".onnx", ("onnx", "onnxscript", "onnxruntime"), _save_onnx, _load_onnx),
}


def export(path: Path, kind: str, out: Path | None, size: str | None, words: Sequence[str], console: Console) -> int:
    """Export the student of a record; return 1, and leave no file, where the file does not compute the same.

    Raises InputError for an unknown format, one whose packages are not installed, or a wrong size.
    """
    form = chosen_format(kind)
    stored = open_stored(path)
    height, width = parse_size(size, stored)
    out = out or stored.student_file.with_suffix(form.suffix)
    task = stored.task(words)
    network = stored.load(build_network(task, stored.spec, (height, width)), task, (height, width))
    deployed = Deployed(network).eval()
    with _fresh(out) as draft:
        shape = (3 * task.frames, height, width)
        difference, tolerance, maps = write_checked(deployed, form, shape, draft)
        verdict = f"max abs difference {difference:.3g}, tolerance {tolerance:.3g}"
        if not difference <= tolerance:  # NaN is no agreement
            console.print(f"[bold red]failed:[/] the {kind} file is not the student: {verdict}; nothing was written")
            return 1
        draft.replace(out)
    about = describe(stored, task, kind, out, maps) | {
        "image": [height, width],
        "check": {"max_abs_difference": difference, "tolerance": tolerance},
    }
    described = atomic_write(out.with_name(out.name + ".json"), json.dumps(about, indent=2, ensure_ascii=False) + "\n")
    console.print(f"{kind}  {escape(str(out))}\nabout  {escape(str(described))}\n{verdict}", highlight=False)
    return 0


def chosen_format(kind: str) -> Format:
    """Return a format; raises InputError for an unknown one, and where its packages are not installed."""
    if kind not in FORMATS:
        raise InputError(f"--format {kind}: expected {' or '.join(FORMATS)}{nearest(kind, FORMATS)}")
    missing = [name for name in FORMATS[kind].needs if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"--format {kind} needs {', '.join(missing)}: pip install 'densedistill[export]'")
    return FORMATS[kind]


def parse_size(size: str | None, stored: Stored) -> tuple[int, int]:
    """Read ``HxW``, or take the size at which the run's latency was measured; raises InputError for anything else."""
    sides = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", size if size is not None else "x".join(map(str, _own_size(stored))))
    if sides is None:
        raise InputError(f"--size {size or 'left out, and none in the record'}: expected HxW, such as 256x512")
    return int(sides[1]), int(sides[2])


def _own_size(stored: Stored) -> list[int]:
    return list(stored.record.inference.input_size)


def write_checked(
    network: nn.Module, form: Format, shape: tuple[int, int, int], path: Path
) -> tuple[float, float, list[tuple[int, ...]]]:
    """Write a network in eval mode to a file and hold the file against it on another batch, whole and one by one.

    ``shape`` (C,H,W) is that of an image. Returns the largest absolute difference, the tolerance, and the maps' shapes.
    """
    example, compared = (
        torch.randn(batch, *shape, generator=torch.Generator().manual_seed(seed)) for seed, batch in enumerate(BATCHES)
    )
    with warnings.catch_warnings():  # the exporters' own; what they got wrong shows in the comparison
        warnings.simplefilter("ignore")
        form.save(network, example, path)
        load = form.load(path)
    with torch.no_grad():
        pairs = [pair for image in (compared, compared[:1]) for pair in zip(network(image), load(image), strict=True)]
    difference = max(float((network_map - file_map).abs().max()) for network_map, file_map in pairs)
    largest = max(float(network_map.abs().max()) for network_map, _ in pairs)
    shapes = [tuple(network_map.shape) for network_map, _ in pairs[: len(pairs) // 2]]
    return difference, TOLERANCE * max(1.0, largest), shapes


def describe(stored: Stored, task: Task, kind: str, out: Path, maps: Sequence[tuple[int, ...]]) -> dict[str, Any]:
    """Say what a file takes and gives, and where it comes from."""
    record = stored.record
    return {
        "file": out.name,
        "format": kind,
        "sha256": sha256_of(out),
        "run_id": record.run_id,
        "student_sha256": record.provenance.student_sha256,
        "task": record.task.name,
        "dataset": record.dataset.name,
        "classes": list(task.info.classes),
        "categories": list(task.info.categories),
        "input": {
            "name": "image",
            "shape": f"(N,{3 * task.frames},H,W), any N, H and W as exported",
            "dtype": "float32",
            "channels": "RGB",
            "normalisation": "(rgb / 255 - mean) / std",
            "mean": list(MEAN),
            "std": list(STD),
        },
        "outputs": [{"name": f"map{i}", "shape": ["N", *shape[1:]]} for i, shape in enumerate(maps)],
        "torch": torch.__version__,
    }


@contextmanager
def _fresh(out: Path) -> Iterator[Path]:
    """Give a name beside ``out`` to write to, and remove what is left there; raises InputError where none can be."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-")
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); choose another file with --out") from error
    with folder as name:
        yield Path(name) / f"student{out.suffix}"
