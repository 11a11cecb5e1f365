"""Channel-wise distillation of the output maps."""

from __future__ import annotations

from torch import Tensor

from methods.base import SUPERVISED, Method, Setting, Step, register
from methods.numerics import check_options, check_positive
from methods.pixel import channelwise_kl
from tasks.outputs.maps import masked_mean, shrink

FLAT = 1e-6  # deviation below which a teacher's map has no shape


@register("cwd")
class ChannelWise(Method):
    """The student looks where the teacher looks: each channel of the output is a distribution over positions.

    Paper: Shu, Liu, Gao, Yan and Shen, "Channel-wise Knowledge Distillation for Dense Prediction", ICCV 2021.

    ``L = L_task + w * tau^2 / (N C) * sum_c sum_i phi_T log(phi_T / phi_S)``,
    ``phi(c, i) = exp(z_c,i / tau) / sum_j exp(z_c,j / tau)``

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 1 | 1 |
    | channel | 3, already a mean over images and channels | 3 |

    Deviations: padded positions carry no mass. A map with a single channel (a mask, a depth, a density) need not be a
    logit, so there both maps are divided by the standard deviation of the teacher's over the batch first, which is
    ours: at a fixed tau the softmax of densities near zero would be uniform, whatever their shape. With a tau of
    several deviations the term is then close to half the mean squared difference of the two centred maps over the
    teacher's variance, without a unit, so that its weight means the same for masks, depths and densities. Pyramid
    levels are averaged. Detection's maps count whole: distances and centerness are channels like those of classes,
    though no label says what they are where there is no object. Only outputs are compared, not the features that the
    paper also tries.

    Args:
        setting: output space and shapes.
        weight: of the channel-wise divergence.
        temperature: tau of the softmax over positions; in standard deviations of the teacher for a single map.
    """

    title = "channel-wise distillation"
    paper = "Shu et al., ICCV 2021"
    license = "BSD-2-Clause"
    reference = "https://arxiv.org/abs/2011.13256"
    bibtex = """
        @inproceedings{shu2021channel,
          title = {Channel-wise Knowledge Distillation for Dense Prediction},
          author = {Shu, Changyong and Liu, Yifan and Gao, Jianfei and Yan, Zheng and Shen, Chunhua},
          booktitle = {IEEE/CVF International Conference on Computer Vision (ICCV)},
          year = {2021}
        }
    """
    also_called = ("CWD", "channel-wise KD")

    def __init__(self, setting: Setting, *, weight: float = 3.0, temperature: float = 4.0) -> None:
        super().__init__(setting)
        check_options(weight=weight)
        check_positive(temperature=temperature)
        self.temperature = temperature
        self.weights["channel"] = weight

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss and the channel-wise divergence on the labeled batch."""
        terms = {SUPERVISED: step.supervised()}
        if self.weights["channel"]:
            student, teacher = self.output.alike(step.student(step.labeled), step.teacher(step.labeled))
            levels = zip(student.maps, teacher.maps, strict=True)
            losses = [self._level(student_map, teacher_map, student.inside) for student_map, teacher_map in levels]
            terms["channel"] = sum(losses[1:], losses[0]) / len(losses)
        return terms

    def _level(self, student: Tensor, teacher: Tensor, inside: Tensor | None) -> Tensor:
        inside = shrink(inside, (student.shape[-2], student.shape[-1]))
        if teacher.shape[1] == 1:
            deviation = _deviation(teacher[:, 0], inside)
            student, teacher = student / deviation, teacher / deviation
        return channelwise_kl(student, teacher, self.temperature, inside)


def _deviation(maps: Tensor, inside: Tensor | None) -> Tensor:
    """The standard deviation of maps (N,h,w) over the positions inside, a scalar; 1 where all are the same."""
    spread = masked_mean((maps - masked_mean(maps, inside)).square(), inside).sqrt()
    return spread.where(spread > FLAT, 1.0)
