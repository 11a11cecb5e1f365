"""Structured distillation: pixel-wise, pair-wise and holistic (adversarial) terms."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.base import SUPERVISED, CriticRecipe, Method, Setting, Step, register
from methods.critic import Critic, without_gradient
from methods.numerics import Reduction, check_options, check_positive, full_precision, gram_distance, shared_pairs, unit
from tasks.resizing import align

RGB = 3  # channels of an image, or of a clip's newest frame, which the critic sees

Adversary = Literal["wgan-gp", "hinge"]


@full_precision
def pixelwise_cross_entropy(student: Tensor, teacher: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Cross-entropy of the class distributions of two logit maps (N,C,h,w).

    ``- sum_{n,p,c} p_T log p_S``, over ``N |p|`` for ``mean``, over ``|p|`` alone for ``reference``: the authors sum
    over the batch (Liu et al., CVPR 2019). It is the KL divergence plus the teacher's entropy.

    Examples:
        >>> import torch
        >>> from methods.structured import pixelwise_cross_entropy
        >>> teacher = torch.tensor([2.0, 0.0]).view(1, 2, 1, 1)
        >>> round(pixelwise_cross_entropy(torch.zeros(1, 2, 1, 1), teacher).item(), 3)
        0.693
    """
    entropy = -(teacher.detach().softmax(dim=1) * student.log_softmax(dim=1)).sum(dim=1)
    return entropy.mean() * (len(student) if reduction == "reference" else 1)


@full_precision
def pairwise_similarity(
    student: Tensor, teacher: Tensor, scale: float = 0.5, reduction: Reduction = "mean", kernel: int = 0
) -> Tensor:
    """Mean squared difference of the cosine similarities between max-pooled nodes, for features (N,C,h,w).

    ``1 / (N m^2) * sum_{n,i,j} (A_T,ij - A_S,ij)^2``, ``A = V^T V`` (Liu et al., CVPR 2019). The widths C may differ;
    the larger map is resized to the smaller.

    Args:
        student: features of the student.
        teacher: features of the teacher.
        scale: pooling window as a share of the map, as the authors' code has it (0.5: about 2 x 2 nodes).
        reduction: both normalise alike; ``reference`` stops the gradient of the norm and adds 1e-8 to it, ``mean``
            differentiates the norm and drops nodes without a direction.
        kernel: pooling window in positions, as the paper has it (2); takes the place of ``scale`` unless 0.

    Examples:
        >>> import torch
        >>> from methods.structured import pairwise_similarity
        >>> student = torch.tensor([[1.0, 1.0], [0.0, 0.0]]).view(1, 2, 1, 2)  # two nodes of one direction
        >>> teacher = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).view(1, 2, 1, 2)  # two orthogonal ones
        >>> round(pairwise_similarity(student, teacher).item(), 3)
        0.5
    """
    student, teacher = align(student, teacher.detach())
    size = (student.shape[-2], student.shape[-1])
    window = (
        (min(kernel, size[0]), min(kernel, size[1])) if kernel else tuple(max(1, int(scale * side)) for side in size)
    )
    pooled = [F.max_pool2d(feature, window, window, ceil_mode=True).flatten(2) for feature in (student, teacher)]
    if reduction == "reference":
        nodes = [
            feature / (torch.linalg.vector_norm(feature, dim=1, keepdim=True).detach() + 1e-8) for feature in pooled
        ]
    else:
        nodes = [unit(feature, dim=1) for feature in pooled]
    return gram_distance(*nodes) / (nodes[0].shape[0] * nodes[0].shape[2] ** 2)


def generator_loss(critic: nn.Module, student: Tensor) -> Tensor:
    """What the student minimises against a critic: ``-mean D(S)``.

    Examples:
        >>> import torch
        >>> from methods.structured import generator_loss
        >>> generator_loss(torch.nn.Identity(), torch.tensor([1.0, 3.0])).item()
        -2.0
    """
    return -critic(student).mean()


def critic_loss(critic: nn.Module, student: Tensor, teacher: Tensor, adversary: Adversary = "wgan-gp") -> Tensor:
    """What the critic minimises, without its gradient penalty: it scores the teacher high and the student low.

    ``wgan-gp``: ``mean D(S) - mean D(T)``; ``hinge``: ``mean relu(1 + D(S)) + mean relu(1 - D(T))``.

    Examples:
        >>> import torch
        >>> from methods.structured import critic_loss
        >>> student, teacher = torch.zeros(2), torch.ones(2)
        >>> critic_loss(torch.nn.Identity(), student, teacher).item()
        -1.0
        >>> critic_loss(torch.nn.Identity(), student, teacher, "hinge").item()
        1.0
    """
    fake, real = critic(student.detach()), critic(teacher.detach())
    if adversary == "hinge":
        return (1 + fake).relu().mean() + (1 - real).relu().mean()
    return fake.mean() - real.mean()


def gradient_penalty(critic: nn.Module, student: Tensor, teacher: Tensor, alpha: Tensor) -> Tensor:
    """Mean squared distance from one of the norm of the critic's gradient between student and teacher.

    ``mean_n (|| d sum D(x) / d x_n ||_2 - 1)^2``, ``x = alpha T + (1 - alpha) S``, alpha (N,1,1,1) in [0, 1] (Gulrajani
    et al., NeurIPS 2017).

    Examples:
        >>> import torch
        >>> from methods.structured import gradient_penalty
        >>> student, teacher = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
        >>> gradient_penalty(torch.nn.Identity(), student, teacher, torch.full((1, 1, 1, 1), 0.5)).item()
        1.0
    """
    between = (alpha * teacher.detach() + (1 - alpha) * student.detach()).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (torch.linalg.vector_norm(slope.flatten(1), dim=1) - 1).square().mean()


@register("structured")
class Structured(Method):
    """The student matches the teacher at every position, in the similarity of regions, and in the eyes of a critic.

    Paper: Liu, Chen, Liu, Qin, Luo and Wang, "Structured Knowledge Distillation for Semantic Segmentation", CVPR 2019;
    Liu, Shu, Wang and Shen, "Structured Knowledge Distillation for Dense Prediction", TPAMI 2020.

    ``L = L_task + w1 * divergence(z_S, z_T) + w2 / (N m^2) * sum (A_S - A_T)^2 - w3 * mean D(b(z_S))``

    A holds the cosine similarities of m pooled nodes, b bounds a prediction, and the critic D minimises
    ``mean D(b(z_S)) - mean D(b(z_T)) + 10 * mean (||grad D|| - 1)^2``.

    | term | paper's weight (authors' code) | our weight |
    |---|---|---|
    | supervised | 1 | 1 |
    | pixel | 10 on the sum over the batch: 10 N = 80 on the mean | 1 |
    | pair | 0.5 (the paper says 10), already a mean | 10 |
    | holistic | 0.1, an eight-hundredth of pixel | 0.02 |

    Deviations: the pixel-wise term is the divergence of the output space, for class maps the authors' cross-entropy
    less a constant. Its weight of 1, and the smaller holistic one, hold for every task; 80 drowns the labels. The
    critic is half as wide, for it costs more than a small student. Nodes without a direction are dropped and the norm
    is differentiated. The critic sees bounded predictions (for class maps, the probabilities of the conference version)
    beside the image, also as in that version; ``conditional=False`` is the journal's. The critic descends its loss as
    it stands, at the authors' rate, by Adam instead of their SGD (momentum 0.9, decay 5e-4), by which it would hardly
    move in runs much shorter than their 40 000 steps. Their 0.1 multiplies the critic's loss as well as the student's
    term; by SGD that is a tenth of the rate and ten times the decay on the whole loss: ``critic_optimizer=sgd
    critic_lr=4e-5 critic_decay=5e-3`` is theirs. Where a head reads several features, the pair-wise term is their mean.

    Args:
        setting: output space and shapes.
        pixel: weight of the pixel-wise divergence.
        pair: weight of the pair-wise term.
        holistic: weight of the critic's opinion; no critic is built or trained when it is zero.
        reduction: ``reference`` normalises as the authors' code does: the pixel-wise term, their cross-entropy less a
            constant, is summed over the batch, and the norm of nodes is not differentiated.
        scale: pooling window of the pair-wise term as a share of the map.
        kernel: pooling window in positions; takes the place of ``scale`` unless 0.
        adversary: the critic's loss, ``wgan-gp`` or ``hinge``.
        penalty: weight of the gradient penalty (wgan-gp).
        conditional: whether the critic sees the image too.
        width: of the critic's first layer; the authors' has 64.
        critic_optimizer: of the critic, ``adam`` or ``sgd``.
        critic_lr: its rate, which follows the schedule of the student's; the authors' students have 0.01, their critic
            4e-4 on a tenth of the loss.
        critic_decay: its weight decay; the authors' 5e-4 is on a tenth of the loss.
    """

    title = "structured distillation"
    paper = "Liu et al., CVPR 2019 and TPAMI 2020"
    license = "BSD-2-Clause"
    reference = "https://arxiv.org/abs/1903.04197"
    bibtex = """
        @inproceedings{liu2019structured,
          title = {Structured Knowledge Distillation for Semantic Segmentation},
          author = {Liu, Yifan and Chen, Ke and Liu, Chris and Qin, Zengchang and Luo, Zhenbo and Wang, Jingdong},
          booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
          year = {2019}
        }
        @article{liu2020structured,
          title = {Structured Knowledge Distillation for Dense Prediction},
          author = {Liu, Yifan and Shu, Changyong and Wang, Jingdong and Shen, Chunhua},
          journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
          year = {2020}
        }
    """
    critic_term = "holistic"
    also_called = ("SKD", "SKDS", "StructKD", "PI + PA + HO")
    elsewhere = {
        "SKD": "structural distillation of sequence labellers, Wang et al., ACL 2021; also several self-distillations"
    }

    def __init__(
        self,
        setting: Setting,
        *,
        pixel: float = 1.0,
        pair: float = 10.0,
        holistic: float = 0.02,
        reduction: Reduction = "mean",
        scale: float = 0.5,
        kernel: int = 0,
        adversary: Adversary = "wgan-gp",
        penalty: float = 10.0,
        conditional: bool = True,
        width: int = 32,
        critic_optimizer: Literal["adam", "sgd"] = "adam",
        critic_lr: float = 4e-4,
        critic_decay: float = 0.0,
    ) -> None:
        super().__init__(setting)
        check_options(pixel=pixel, pair=pair, holistic=holistic, kernel=kernel, penalty=penalty)
        check_options(critic_decay=critic_decay)
        check_positive(scale=scale, width=width, critic_lr=critic_lr)
        shared_pairs(setting.student, setting.teacher)
        self.reduction: Reduction = reduction
        self.scale, self.kernel = scale, kernel
        self.adversary, self.penalty, self.conditional = adversary, penalty, conditional
        self.weights |= {"pixel": pixel, "pair": pair, "holistic": holistic}
        self.critic_recipe = CriticRecipe(critic_optimizer, critic_lr, critic_decay)
        if holistic:
            channels = self.output.bounded(setting.student).shape[1]
            self.critic = Critic(channels + RGB * conditional, width)

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss and the three terms on the labeled batch."""
        terms = {SUPERVISED: step.supervised()}
        if self.weights["pixel"]:
            images = len(step.labeled.image) if self.reduction == "reference" else 1
            terms["pixel"] = images * self.output.divergence(step.student(step.labeled), step.teacher(step.labeled))
        if self.weights["pair"]:
            pairs = shared_pairs(step.student(step.labeled), step.teacher(step.labeled))
            losses = [pairwise_similarity(*pair, self.scale, self.reduction, self.kernel) for pair in pairs]
            terms["pair"] = torch.stack(losses).mean()
        if self.critic is not None:
            student, _ = self._seen(step)
            with without_gradient(self.critic) as critic:
                terms["holistic"] = generator_loss(critic, student)
        return terms

    def critic_loss(self, step: Step) -> Tensor:
        """Return the critic's loss on the labeled batch, with its gradient penalty."""
        if self.critic is None:
            raise TypeError("structured has no critic: its holistic weight is zero")
        student, teacher = self._seen(step)
        loss = critic_loss(self.critic, student, teacher, self.adversary)
        if self.adversary == "wgan-gp" and self.penalty:
            alpha = torch.rand(len(student), 1, 1, 1, generator=step.generator("gradient penalty")).to(student)
            loss = loss + self.penalty * gradient_penalty(self.critic, student, teacher, alpha)
        return loss

    def _seen(self, step: Step) -> tuple[Tensor, Tensor]:
        """What the critic sees of student and teacher: bounded maps of one size, beside the image where it may."""
        student, teacher = self.output.bounded_alike(step.student(step.labeled), step.teacher(step.labeled))
        if not self.conditional:
            return student, teacher
        newest = step.labeled.image[:, :RGB]
        image = F.interpolate(newest, size=student.shape[-2:], mode="area").to(student.dtype)
        return torch.cat([student, image], dim=1), torch.cat([teacher, image], dim=1)
