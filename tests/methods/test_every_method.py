import importlib
import pkgutil

import pytest
import torch

import methods as package
from benchmark.training.assemble import cast
from methods.base import SUPERVISED, methods
from tasks.registry import options

for module in pkgutil.iter_modules(package.__path__):
    importlib.import_module(f"methods.{module.name}")
NAMES = sorted(methods)
SPACES = ["classes", "mask", "depth", "density", "boxes"]
EDGES = [{"batch": 1}, {"size": 1}, {"batch": 1, "size": 4, "invalid": True}]


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
    assert {"none", "pixel", "cwd", "structured", "mgd", "skt", "cckd", "stkd", "crf"} <= set(NAMES)


@pytest.mark.parametrize("shape", EDGES, ids=str)
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_terms_and_gradients_are_finite_everywhere(make_step, name, space, shape):
    step = make_step(space, **shape)
    method, terms = learn(name, step)
    assert terms.keys() <= method.weights.keys()
    assert all(value.ndim == 0 and value.isfinite() for value in terms.values())
    assert finite(step.student_net)
    if method.critic is not None:
        method.critic.zero_grad()
        loss = method.critic_loss(step)
        loss.backward()
        assert loss.isfinite()
    assert finite(method)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_every_weighted_term_reaches_the_student_and_no_teacher(make_step, name, space):
    step = make_step(space)
    method, terms = learn(name, step)
    assert {term for term, weight in method.weights.items() if weight} == set(terms)
    step = make_step(space)
    for term, value in method(step).items():
        slopes = torch.autograd.grad(value, list(step.student_net.parameters()), retain_graph=True, allow_unused=True)
        assert max(s.abs().max().item() for s in slopes if s is not None) > 0.0, term
    assert all(p.grad is None for net in step.teacher_nets.values() for p in net.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_only_declared_teachers_are_asked(make_step, name):
    step = make_step()
    learn(name, step)
    asked = {call.partition(":")[0] for call in step.calls} - {"student"}
    assert asked == set(cast(methods[name].needs.teachers, list(step.teacher_nets)).values())
    if not methods[name].needs.unlabeled:
        assert not any("pasted" in call or ":u" in call for call in step.calls)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_step_gives_the_same_terms(make_step, name):
    first, second = ({term: value.item() for term, value in learn(name, make_step())[1].items()} for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", NAMES)
def test_documentation_has_its_parts(name):
    cls = methods[name]
    text = cls.__doc__
    assert "Paper: " in text
    assert "| term | paper's weight" in text
    assert "our weight |" in text
    assert "Deviations: " in text
    assert cls.title
    assert cls.paper
    for option, parameter in options(cls).items():
        assert f"        {option}: " in text, f"option '{option}' is not in the docstring"
        assert parameter.default is not parameter.empty
        assert parameter.annotation is not parameter.empty
    assert SUPERVISED in text
    assert cls.needs.teachers or cls.control
