"""What holds of every built-in method beside what the conformance kit checks: the edges, and its documentation."""

import pytest
import torch

from methods.base import SUPERVISED, methods
from tests.methods.conftest import SPACES
from tests.support import built_in

NAMES = built_in(methods)
EDGES = [{"size": 1}, {"batch": 1, "size": 4, "invalid": True}]


def learn(name, step):
    """One step of the student and of the critic, where there is one."""
    torch.manual_seed(0)
    method = methods[name](step.setting())
    terms = method(step)
    sum(method.weights[term] * value for term, value in terms.items()).backward()
    return method, terms


def finite(module):
    return all(p.grad is None or p.grad.isfinite().all() for p in module.parameters())


def test_the_methods_of_the_design_are_there():
    assert {"none", "pixel", "cwd", "structured", "mgd", "skt", "cckd", "stkd", "kr", "coupled", "crf"} <= set(NAMES)


@pytest.mark.parametrize("shape", EDGES, ids=str)
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_terms_and_gradients_are_finite_everywhere(make_step, name, space, shape):
    step = make_step(space, **shape)
    if methods[name].refuses(step.output):
        pytest.skip("not applicable")
    method, terms = learn(name, step)
    assert all(value.isfinite() for value in terms.values())
    assert finite(step.student_net)
    if method.critic is not None:
        method.critic.zero_grad()
        loss = method.critic_loss(step)
        loss.backward()
        assert loss.isfinite()
    assert finite(method)


@pytest.mark.parametrize("name", NAMES)
def test_documentation_has_its_parts(name):
    cls = methods[name]
    text = cls.__doc__
    assert "Paper: " in text
    assert "| term | paper's weight" in text
    assert "our weight |" in text
    assert "Deviations: " in text
    assert SUPERVISED in text
    assert cls.needs.teachers or cls.control or cls.regulariser
