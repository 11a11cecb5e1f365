"""UVA-Net's claims (Fu et al., AAAI 2020) beside what is measured here: ``python perf/uvanet.py [HOME]``.

Networks see clips of two frames; each is measured at batch 1 and 32 in float32, on as many threads as torch has, with
random weights. With HOME, the NSS of finished runs of ``task=attention`` is printed too, such as those of

    benchmark run -m task=attention seed=0,1,2 "method=[none,coupled]" home=HOME
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from pathlib import Path

import torch

from benchmark.training.cost import InferenceCost, inference_cost
from benchmark.training.device import build_fabric
from leaderboards import store
from tasks.attention import Attention
from tasks.base import Info, NetworkSpec

UVANET = Attention.student.decoder
CLAIMS = """published: 0.16 M parameters; 0.68 MB of memory at 32 x 32 and 2.73 MB at 64 x 64; 404 frames/s on a CPU at
64 x 64, 10,106 and 2,588 on a GPU at 32 x 32 and 64 x 64; 206 times as fast as earlier models; NSS on AVS1K 1.906
without and 1.981 with coupled distillation"""


def measure(spec: NetworkSpec, size: int) -> InferenceCost:
    task = Attention(Info())
    return inference_cost(task.network(spec), (size, size), build_fabric("auto", "32"), task.frames)


def line(name: str, cost: InferenceCost, slowest: float) -> str:
    alone = 1000 / cost.latency_ms_p50
    return (
        f"{name:34} {cost.params / 1e6:6.3f} M  {cost.activation_mb:7.2f} MiB  {alone:7.0f}  {cost.images_per_s:7.0f}  "
        f"{cost.images_per_s / slowest:6.1f} x"
    )


def networks(size: int) -> None:
    """Print UVA-Net at its two resolutions and the teachers, on frames of one size."""
    specs = {f"uvanet, {pixels} pixels": NetworkSpec(UVANET, encoder_options={"pixels": pixels}) for pixels in (32, 64)}
    specs |= {f"teacher {role}": spec for role, spec in Attention.teachers.items()}
    costs = {name: measure(spec, size) for name, spec in specs.items()}
    slowest = min(cost.images_per_s for cost in costs.values())
    print(f"\nframes of {size} x {size}: parameters, activations, frames/s at batch 1 and 32, over the slowest")
    for name, cost in costs.items():
        print(line(name, cost, slowest))


def scores(home: Path) -> None:
    """Print the NSS of every method over seeds, and that of the teachers."""
    found: dict[str, list[float]] = defaultdict(list)
    for record in store.read([home])[0]:
        if record.task.name == Attention.name and record.score is not None:
            found[record.method.name].append(record.score)
            for teacher in record.teachers:
                if teacher.own_score is not None:
                    found[f"teacher {teacher.role}"].append(teacher.own_score)
    for name, values in found.items():
        spread = f" +- {statistics.stdev(values):.3f}" if len(values) > 1 else ""
        print(f"nss  {name:20} {statistics.mean(values):.3f}{spread}  ({len(values)} runs)")


if __name__ == "__main__":
    print(CLAIMS)
    print(f"here: {torch.get_num_threads()} thread(s), {'a GPU' if torch.cuda.is_available() else 'no GPU'}")
    for each in (64, 96, 256):
        networks(each)
    for word in sys.argv[1:]:
        scores(Path(word))
