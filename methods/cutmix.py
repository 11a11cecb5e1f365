"""CutMix alone: a control that has the pasted images of a method, and no teacher."""

from __future__ import annotations

from torch import Tensor

from methods.base import SUPERVISED, Method, Needs, Step, register


@register("cutmix")
class CutMix(Method):
    """The student learns from labels alone, on images that have boxes of other images pasted in, with their labels.

    A control beside methods that paste (MGD): what they gain over it, pasting does not explain.

    Paper: Yun, Han, Oh, Chun, Choe and Yoo, "CutMix: Regularization Strategy to Train Strong Classifiers with
    Localizable Features", ICCV 2019; for dense labels as French et al., BMVC 2020.

    ``L = L_task(z_S((1 - M) x + M x[order]), (1 - M) y + M y[order])``

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 1 | 1 |

    Deviations: three boxes of a quarter to a half of the image, as MGD draws them, where the paper has one of a share
    that is uniform; every image is pasted into.

    Args:
        setting: output space and shapes.
    """

    title = "CutMix alone"
    paper = "Yun et al., ICCV 2019 (control)"
    license = "MIT"
    reference = "https://arxiv.org/abs/1905.04899"
    bibtex = """
        @inproceedings{yun2019cutmix,
          title = {CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features},
          author = {Yun, Sangdoo and Han, Dongyoon and Oh, Seong Joon and Chun, Sanghyuk and Choe, Junsuk and
                    Yoo, Youngjoon},
          booktitle = {IEEE/CVF International Conference on Computer Vision (ICCV)},
          year = {2019}
        }
    """
    needs = Needs(teachers=())
    regulariser = True

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss on the labeled batch pasted into itself."""
        pasted = step.pasted(labeled=True)
        return {SUPERVISED: step.supervised(pasted)}
