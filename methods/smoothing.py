"""Label smoothing alone: a control that has the soft labels of a method, and no teacher."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from methods.base import SUPERVISED, Method, Needs, Setting, Step, register
from tasks.base import OutputSpace, Prediction
from tasks.errors import InputError
from tasks.outputs.maps import map_size, masked_mean, shrink


def uniform_cross_entropy(output: OutputSpace, student: Prediction) -> Tensor:
    """Cross-entropy of a uniform distribution over classes against the student's: ``-1 / (K |p|) sum_p sum_k log p_k``.

    Examples:
        >>> import torch
        >>> from methods.smoothing import uniform_cross_entropy
        >>> from tasks.base import Prediction
        >>> from tasks.outputs.categorical import Categorical
        >>> maps = (torch.zeros(1, 4, 2, 2),)
        >>> student = Prediction(maps, {}, {}, (), torch.zeros(1, 8), (2, 2))
        >>> round(uniform_cross_entropy(Categorical(4), student).item(), 3)
        1.386
    """
    (scores,) = output.label_scores(student)
    return masked_mean(-F.log_softmax(scores, dim=1).mean(dim=1), shrink(student.inside, map_size(scores)))


@register("smoothing")
class LabelSmoothing(Method):
    """The student learns from labels that leave a share of the probability to all classes alike.

    A control beside methods that match a teacher's soft labels: what they gain over it, softness does not explain. For
    maps of classes (segmentation, masks); others have no classes to be unsure of.

    Paper: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception Architecture for Computer Vision",
    CVPR 2016, section 7.

    ``L = (1 - e) * L_task(z_S, y) + e * H(uniform, p_S)``

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 1 - e | 0.9 |
    | uniform | e = 0.1 | 0.1 |

    Deviations: the uniform part is taken at the resolution of the student's maps, over all of the image.

    Args:
        setting: output space and shapes.
        share: e, the share of the probability that is spread.
    """

    title = "label smoothing alone"
    paper = "Szegedy et al., CVPR 2016 (control)"
    license = "no code published"
    reference = "https://arxiv.org/abs/1512.00567"
    bibtex = """
        @inproceedings{szegedy2016rethinking,
          title = {Rethinking the Inception Architecture for Computer Vision},
          author = {Szegedy, Christian and Vanhoucke, Vincent and Ioffe, Sergey and Shlens, Jon and Wojna, Zbigniew},
          booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
          year = {2016}
        }
    """
    needs = Needs(teachers=())
    regulariser = True

    def __init__(self, setting: Setting, *, share: float = 0.1) -> None:
        super().__init__(setting)
        if not 0.0 <= share < 1.0:
            raise InputError(f"option 'share' of the probability must lie in [0, 1), not be {share}")
        self.weights = {SUPERVISED: 1 - share, "uniform": share}

    @classmethod
    def refuses(cls, output: OutputSpace) -> str:
        """Say that there are no classes, where labels are ordered or leave something out."""
        classes = output.labels_say_all and not output.labels_are_ordered
        return "" if classes else "label smoothing needs maps of classes"

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss and the cross-entropy against a uniform distribution."""
        terms = {SUPERVISED: step.supervised()}
        if self.weights["uniform"]:
            terms["uniform"] = uniform_cross_entropy(self.output, step.student(step.labeled))
        return terms
