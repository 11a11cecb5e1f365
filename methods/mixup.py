"""Mixup alone: a control that has the mixed images of a method, and no teacher."""

from __future__ import annotations

from torch import Tensor

from methods.base import SUPERVISED, Method, Needs, Setting, Step, register
from methods.numerics import check_positive


@register("mixup")
class Mixup(Method):
    """The student learns from labels alone, on images that are mixed in pairs as their labels are.

    A control beside methods that mix (STKD): what they gain over it, mixing does not explain.

    Paper: Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018.

    ``L = L_task(z_S(x~), y~)``, ``x~ = l x + (1 - l) x[order]``, ``y~`` mixed alike, ``l ~ Beta(alpha, alpha)``

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 1 | 1 |

    Deviations: one weight an image, where the paper draws one a batch; targets other than classes are mixed as their
    output space says.

    Args:
        setting: output space and shapes.
        alpha: of the Beta distribution of the mixing weight; 1 is uniform, the paper's 0.2 to 0.4 mixes less.
    """

    title = "mixup alone"
    paper = "Zhang et al., ICLR 2018 (control)"
    license = "BSD-3-Clause"
    reference = "https://arxiv.org/abs/1710.09412"
    bibtex = """
        @inproceedings{zhang2018mixup,
          title = {mixup: Beyond Empirical Risk Minimization},
          author = {Zhang, Hongyi and Cisse, Moustapha and Dauphin, Yann N. and Lopez-Paz, David},
          booktitle = {International Conference on Learning Representations (ICLR)},
          year = {2018}
        }
    """
    needs = Needs(teachers=())
    regulariser = True

    def __init__(self, setting: Setting, *, alpha: float = 1.0) -> None:
        super().__init__(setting)
        check_positive(alpha=alpha)
        self.alpha = alpha

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss on the mixed batch."""
        mixed = step.mixed(self.alpha)
        return {SUPERVISED: step.supervised(mixed)}
