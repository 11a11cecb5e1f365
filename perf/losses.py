"""Time and peak memory of each loss against a direct transcription of its equation: ``python perf/losses.py [NAME]``.

Forward and backward at inputs of 512 x 1024, stride 8, batch 8, 19 classes, 256 channels, float32, each in a process of
its own: on the GPU if there is one, else on one CPU core. Peak memory is what is held beyond the inputs.
"""

from __future__ import annotations

import functools
import itertools
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch
import torch.nn.functional as F
from torch import Tensor

from methods.cckd import correlation_congruence
from methods.crf import grid_divergence
from methods.critic import Critic
from methods.kr import sparse_prior
from methods.mgd import image_level, region_level
from methods.pixel import channelwise_kl, pixelwise_kl
from methods.skt import inter_layer_relation, intra_layer_pattern
from methods.stkd import similarity_transfer
from methods.structured import critic_loss, generator_loss, gradient_penalty, pairwise_similarity

LOGITS = (8, 19, 64, 128)
FEATURE = (8, 256, 64, 128)
WIDTH = 32  # of the critic of `structured`, as the method has it by default
TAPS = 4
REPEATS = 5
MIB = 2**20

Loss = Callable[[Sequence[Tensor], Sequence[Tensor]], Tensor]


def kl(student: Tensor, teacher: Tensor, dim: int) -> Tensor:
    p, q = teacher.softmax(dim), student.softmax(dim)
    return (p * (p.log() - q.log())).sum()


def pixel(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    return 16 * kl(s[0] / 4, t[0] / 4, 1) / (s[0].numel() / s[0].shape[1])


def channel(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    return 16 * kl(s[0].flatten(2) / 4, t[0].flatten(2) / 4, 2) / (s[0].shape[0] * s[0].shape[1])


def gram(feature: Tensor) -> Tensor:
    nodes = feature.flatten(2)
    nodes = nodes / nodes.norm(dim=1, keepdim=True)
    return nodes.transpose(1, 2) @ nodes


def pair(s: Sequence[Tensor], t: Sequence[Tensor], window: tuple[int, int]) -> Tensor:
    own, other = (gram(F.max_pool2d(each[0], window, window, ceil_mode=True)) for each in (s, t))
    return (own - other).square().mean()


def region(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    own, other = (gram(F.adaptive_avg_pool2d(each[0], 7)) for each in (s, t))
    return (own - other).square().mean()


def image(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    return (s[0].mean(dim=(2, 3)) - t[0].mean(dim=(2, 3))).abs().mean()


def intra(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    return torch.stack([(1 - F.cosine_similarity(a, b, dim=1)).mean() for a, b in zip(s, t, strict=True)]).mean()


def relations(maps: Sequence[Tensor]) -> list[Tensor]:
    layers = [F.instance_norm(each).flatten(2) for each in maps]
    return [a @ b.transpose(1, 2) / a.shape[2] for a, b in itertools.combinations(layers, 2)]


def inter(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    pairs = zip(relations(s), relations(t), strict=True)
    return torch.stack([(own - other).square().mean() for own, other in pairs]).mean()


def kernel(rows: Tensor) -> Tensor:
    rows = F.normalize(rows, dim=1)
    inner = rows @ rows.T
    return torch.exp(torch.tensor(-0.8)) * sum((0.8 * inner) ** p / (1, 1, 2)[p] for p in range(3))


def correlation(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    return (kernel(s[0]) - kernel(t[0])).square().mean()


@functools.cache
def critic(width: int = 64) -> Critic:
    torch.manual_seed(0)
    return Critic(LOGITS[1], width).eval().to("cuda" if torch.cuda.is_available() else "cpu")


def share() -> Tensor:
    return torch.linspace(0.1, 0.9, LOGITS[0])[:, None, None, None]


def adversary(s: Sequence[Tensor], t: Sequence[Tensor], width: int = 64) -> Tensor:
    alpha, judge = share()[: len(s[0])].to(s[0].device), critic(width)
    return critic_loss(judge, s[0], t[0]) + 10 * gradient_penalty(judge, s[0], t[0], alpha)


def wasserstein(s: Sequence[Tensor], t: Sequence[Tensor], width: int = 64) -> Tensor:
    own, other, judge = s[0].detach(), t[0], critic(width)
    alpha = share()[: len(own)].to(own.device)
    between = (alpha * other + (1 - alpha) * own).requires_grad_()
    slope = torch.autograd.grad(judge(between).sum(), between, create_graph=True)[0]
    norm = slope.square().sum(dim=(1, 2, 3)).sqrt()
    return judge(own).mean() - judge(other).mean() + 10 * ((norm - 1) ** 2).mean()


def structured(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    """All that the method computes in a step: the student's terms, and the critic's loss at its default width."""
    terms = pixelwise_kl(s[0], t[0]) + pairwise_similarity(s[1], t[1]) + generator_loss(critic(WIDTH), s[0])
    return terms + adversary(s, t, WIDTH)


def structured_directly(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    """The same by transcriptions."""
    terms = kl(s[0], t[0], 1) / (s[0].numel() / s[0].shape[1]) + pair(s[1:], t[1:], (32, 64))
    return terms - critic(WIDTH)(s[0]).mean() + wasserstein(s, t, WIDTH)


@functools.cache
def tables() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return [torch.randn(LOGITS[1], LOGITS[1], generator=generator).to(device) for _ in range(4)]


def rows(own: Tensor, other: Tensor, table: Tensor, given: Tensor) -> Tensor:
    """``sum KL(P_T(row) || P_S(row))`` by the forward algorithm alone: marginals are gradients of the teacher's."""

    def log_z(unary: Tensor, transition: Tensor) -> Tensor:
        alpha = unary[..., 0]
        for x in range(1, unary.shape[-1]):
            step = transition[None, :, :, None] + alpha[:, None]  # N,to,from,H
            alpha = unary[..., x] + step.logsumexp(dim=2)
        return alpha.logsumexp(dim=1).sum()

    other, given = other.detach().requires_grad_(), given.detach().requires_grad_()
    total = log_z(other, given)
    unary, pairs = torch.autograd.grad(total, (other, given))
    return log_z(own, table) - total.detach() - (unary * (own - other)).sum() - (pairs * (table - given)).sum()


def chains(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    across, down, given_across, given_down = tables()
    both = rows(s[0], t[0], across, given_across) + rows(s[0].mT, t[0].mT, down, given_down)
    return both / (2 * s[0].numel() / s[0].shape[1])


def recoding(s: Sequence[Tensor], t: Sequence[Tensor]) -> Tensor:
    pooled = [F.adaptive_avg_pool2d(each[0], 7).flatten(2) for each in (s, t)]
    own, other = (each / each.norm(dim=2, keepdim=True) for each in pooled)
    threshold = torch.quantile(other.abs().flatten(1), 0.75, dim=1)[:, None, None]
    mask = (other.abs() >= threshold).float()
    return (mask * (own - other) ** 2).mean() + ((1 - mask) * own.abs()).mean()


CASES: dict[str, tuple[list[tuple[int, ...]], Loss, Loss]] = {
    "pixel": ([LOGITS], lambda s, t: pixelwise_kl(s[0], t[0], 4.0), pixel),
    "similarity": ([LOGITS], lambda s, t: similarity_transfer(s[0], t[0], 4.0), pixel),
    "channel": ([LOGITS], lambda s, t: channelwise_kl(s[0], t[0], 4.0), channel),
    "image": ([LOGITS], lambda s, t: image_level(s[0], t[0]), image),
    "region 7x7": ([FEATURE], lambda s, t: region_level(s[0], t[0]), region),
    "pair scale 1/2": ([FEATURE], lambda s, t: pairwise_similarity(s[0], t[0]), lambda s, t: pair(s, t, (32, 64))),
    "pair kernel 2": (
        [FEATURE],
        lambda s, t: pairwise_similarity(s[0], t[0], kernel=2),
        lambda s, t: pair(s, t, (2, 2)),
    ),
    "critic": ([LOGITS], adversary, wasserstein),
    "structured": ([LOGITS, FEATURE], structured, structured_directly),
    "chains": ([LOGITS], lambda s, t: grid_divergence(s[0], t[0], *tables()), chains),
    "sparse prior": ([FEATURE], lambda s, t: sum(sparse_prior(s[0], t[0])), recoding),
    "intra": ([FEATURE] * TAPS, intra_layer_pattern, intra),
    "inter": ([FEATURE] * TAPS + [LOGITS], inter_layer_relation, inter),
    "correlation 256": ([(256, 256)], lambda s, t: correlation_congruence(s[0], t[0]), correlation),
    "correlation 4096": ([(4096, 256)], lambda s, t: correlation_congruence(s[0], t[0]), correlation),
}


def peak(device: torch.device) -> int:
    """Largest number of bytes held so far."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(name: str, ours: bool) -> tuple[float, float, float]:
    """Run one loss: seconds (median), bytes beyond the inputs, value."""
    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    shapes, *losses = CASES[name]
    loss = losses[0 if ours else 1]
    generator = torch.Generator().manual_seed(0)
    make = [torch.randn(shape, generator=generator).to(device) for shape in shapes * 2]
    student, teacher = [each.requires_grad_() for each in make[: len(shapes)]], make[len(shapes) :]
    small = [
        [each.detach()[:2, ..., :2].clone().requires_grad_(side is student) for each in side]
        for side in (student, teacher)
    ]
    loss(*small).backward()  # libraries are loaded
    clock = time.perf_counter if device.type == "cuda" else time.process_time  # other processes do not count
    before, seconds = peak(device), []
    for _ in range(REPEATS):
        for each in student:
            each.grad = None
        start = clock()
        value = loss(student, teacher)
        value.backward()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(clock() - start)
    return statistics.median(seconds), peak(device) - before, value.item()


def main() -> None:
    os.environ["MALLOC_MMAP_THRESHOLD_"] = str(2**16)  # freed memory goes back, so that peaks can be told apart
    names = sys.argv[1:] or list(CASES)
    print(f"{'loss':18s} {'ours':>9s} {'direct':>9s} {'ratio':>6s}   {'ours':>8s} {'direct':>8s}   difference")
    for name in names:
        results = []
        for ours in (True, False):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                results.append(pool.submit(measure, name, ours).result())
        (own, own_peak, own_value), (direct, direct_peak, value) = results
        print(
            f"{name:18s} {1e3 * own:6.1f} ms {1e3 * direct:6.1f} ms {own / direct:6.2f}   {own_peak / MIB:4.0f} MiB "
            f"{direct_peak / MIB:4.0f} MiB   {abs(own_value - value) / abs(value):.0e}"
        )


if __name__ == "__main__":
    main()
