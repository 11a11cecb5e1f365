import torch

from methods.base import SUPERVISED, methods
from methods.none import Alone


def test_the_control_is_the_task_loss_and_needs_no_teacher(make_step):
    step = make_step()
    method = Alone(step.setting())
    terms = method(step)
    assert list(terms) == [SUPERVISED]
    assert torch.equal(terms[SUPERVISED], step.supervised())
    assert step.calls == ["student:labeled"]
    assert method.weights == {SUPERVISED: 1.0}
    assert methods["none"].control
    assert methods["none"].needs.teachers == ()
    assert not list(method.parameters())
