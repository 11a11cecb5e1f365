"""Which tensor of a file belongs to which of a network: names differ by what training loops put before them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from torch import Tensor

WRAPPERS = ("module.", "model.", "_orig_mod.", "network.", "net.")  # of DataParallel, Lightning, torch.compile, ...
RENAMED = (("segmentation_head.", "head."),)  # parts of segmentation-models-pytorch
UNUSED = re.compile(r"(^|\.)(aux\w*|loss\w*|criterion\w*)\.")  # parts that serve training alone
CLASSIFIER = re.compile(r"^encoder\.(model\.)?(fc|classifier|last_linear|head|num_features)\.")  # of an image's class
COUNTER = ".num_batches_tracked"  # of batch normalisation, which old files lack and no prediction reads
SHOWN = 3


@dataclass(frozen=True)
class Fit:
    """What of a file goes into a network.

    ``tensors`` by the network's names; ``expected`` names; ``missing``, ``unexpected`` and ``misshapen`` speak against
    the file, ``unused`` names of its own are left out. ``cut`` was taken off its names, ``put`` was put before them.
    """

    tensors: Mapping[str, Tensor]
    expected: int
    missing: Sequence[str]
    unexpected: Sequence[str]
    misshapen: Sequence[str]
    unused: Sequence[str]
    cut: str
    put: str

    @property
    def faults(self) -> str:
        """What does not fit, counted, the first names shown; empty where all does."""
        parts = {"missing": self.missing, "unexpected": self.unexpected, "of another shape": self.misshapen}
        return "; ".join(f"{len(names)} {what}: {shown(names)}" for what, names in parts.items() if names)

    def __str__(self) -> str:
        told = f"{len(self.tensors)} of {self.expected} tensors"
        told += f", names without '{self.cut}'" if self.cut else ""
        return told + (f"; {len(self.unused)} left out: {shown(self.unused)}" if self.unused else "")


def fit(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], put: Sequence[str], optional: Set[str]) -> Fit:
    """Find the way to name a file's tensors by which most of them are a network's.

    Args:
        found: the file's.
        expected: the network's.
        put: what may be put before the file's names; the empty text first.
        optional: names, written the network's way, that it has no use for.
    """
    best = max(_candidates(found, put), key=lambda each: _fitting(each[2], expected))  # the first of the best
    cut, before, names = best
    outside = [name for name in found if cut and not name.startswith(cut)]
    extra = [name for name in names if name not in expected]
    unused = [name for name in extra if name in optional or UNUSED.search(name) or CLASSIFIER.search(name)]
    shared = [name for name in expected if name in names]
    return Fit(
        {name: names[name] for name in shared},
        len(expected),
        [name for name in expected if name not in names and not name.endswith(COUNTER)],
        [name for name in extra if name not in unused],
        [
            f"{name} is {tuple(names[name].shape)}, expected {tuple(expected[name].shape)}"
            for name in shared
            if names[name].shape != expected[name].shape
        ],
        [*unused, *outside],
        cut,
        before,
    )


def _candidates(found: Mapping[str, Tensor], put: Sequence[str]) -> Iterator[tuple[str, str, Mapping[str, Tensor]]]:
    """Yield what is cut off, what is put before, and the names that come of it, the fewest changes first."""
    for cut, names in _cut(found):
        for before in put:
            yield cut, before, {f"{before}{name}": tensor for name, tensor in names.items()}
        for old, new in RENAMED:
            if any(name.startswith(old) for name in names):
                yield cut, "", {re.sub(f"^{re.escape(old)}", new, name): tensor for name, tensor in names.items()}


def _cut(found: Mapping[str, Tensor]) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
    """Yield the names as they are, then those below each wrapper, outermost first."""
    forms = [("", found)]
    for cut, names in forms:
        yield cut, names
        for wrapper in WRAPPERS:
            below = {name.removeprefix(wrapper): value for name, value in names.items() if name.startswith(wrapper)}
            if below:
                forms.append((f"{cut}{wrapper}", below))


def _fitting(names: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> int:
    """Count names and shapes that agree; a name alone counts less."""
    return sum(1 + (tensor.shape == expected[name].shape) for name, tensor in names.items() if name in expected)


def shown(names: Sequence[str]) -> str:
    """Write the first names, and how many more there are."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
