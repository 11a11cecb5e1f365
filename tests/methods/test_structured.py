import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from methods.base import SUPERVISED
from methods.critic import Critic, without_gradient
from methods.pixel import pixelwise_kl
from methods.structured import (
    Structured,
    critic_loss,
    generator_loss,
    gradient_penalty,
    pairwise_similarity,
    pixelwise_cross_entropy,
)
from tasks.errors import InputError
from tests.support import assert_alike

PRECISIONS = [(torch.float64, "_f64", 1e-5), (torch.float32, "", 1e-4)]


def maps(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class FixtureCritic(nn.Module):
    """The tiny critic of the fixtures, its weights as parameters."""

    def __init__(self, case: dict[str, Tensor]) -> None:
        super().__init__()
        self.weights = nn.ParameterDict({name: nn.Parameter(case[f"in_{name}"]) for name in ("w1", "b1", "w2", "b2")})

    def forward(self, maps: Tensor) -> Tensor:
        w = self.weights
        hidden = F.leaky_relu(F.conv2d(maps, w["w1"], w["b1"], stride=2, padding=1), 0.1)
        return F.conv2d(hidden, w["w2"], w["b2"])

    def check_gradients(self, case: dict[str, Tensor], key: str) -> None:
        for name, weight in self.weights.items():
            norm = 0.0 if weight.grad is None else weight.grad.norm().item()
            assert norm == pytest.approx(case[f"grad_norm_{name}{key}"].item(), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("dtype", "key", "tolerance"), PRECISIONS)
def test_pixel_wise_reference(reference, dtype, key, tolerance):
    case = reference("structkd_pi_n3", dtype)
    student = case["in_S"].requires_grad_()
    value = pixelwise_cross_entropy(student, case["in_T"], reduction="reference")
    value.backward()
    assert value.item() == pytest.approx(case[f"expected{key}"].item(), rel=tolerance)
    assert student.grad.norm().item() == pytest.approx(case[f"grad_norm_S{key}"].item(), rel=1e-4)
    less_entropy = (value - case["teacher_entropy_same_norm"]) / 3
    assert less_entropy.item() == pytest.approx(pixelwise_kl(student, case["in_T"]).item(), rel=1e-4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("pooling", [{"scale": 0.5}, {"kernel": 4}])
def test_pair_wise_reference(reference, dtype, pooling):
    case = reference("structkd_pa_8x8_s05", dtype)
    student = case["in_S"].requires_grad_()
    value = pairwise_similarity(student, case["in_T"], reduction="reference", **pooling)
    value.backward()
    assert value.item() == pytest.approx(case["expected"].item(), rel=1e-4)
    assert student.grad.norm().item() == pytest.approx(case["grad_norm_S"].item(), rel=1e-4)
    assert pairwise_similarity(student, case["in_T"], **pooling).item() == pytest.approx(value.item(), rel=1e-4)


@pytest.mark.parametrize(("dtype", "key", "tolerance"), PRECISIONS)
def test_adversarial_reference(reference, dtype, key, tolerance):
    case = reference("structkd_ho_wgangp", dtype)
    critic, student = FixtureCritic(case), case["in_S"].requires_grad_()
    with without_gradient(critic):
        value = generator_loss(critic, student)
    value.backward()
    assert value.item() == pytest.approx(case[f"G_expected{key}"].item(), rel=tolerance)
    assert student.grad.norm().item() == pytest.approx(case[f"grad_norm_S{key}"].item(), rel=1e-4)
    assert all(weight.grad is None and weight.requires_grad for weight in critic.parameters())
    loss = critic_loss(critic, student, case["in_T"])
    loss.backward()
    assert loss.item() == pytest.approx(case[f"D_expected{key}"].item(), rel=tolerance)
    critic.check_gradients(case, key)


@pytest.mark.parametrize(("dtype", "key", "tolerance"), PRECISIONS)
def test_gradient_penalty_reference(reference, dtype, key, tolerance):
    case = reference("structkd_ho_gp", dtype)
    critic = FixtureCritic(case)
    value = case["hp_lambda_gp"] * gradient_penalty(critic, case["in_S"], case["in_T"], case["in_alpha"])
    value.backward()
    assert value.item() == pytest.approx(case[f"expected{key}"].item(), rel=tolerance)
    critic.check_gradients(case, key)


def test_hinge_is_zero_only_behind_the_margin():
    def score(x: Tensor) -> Tensor:
        return x.mean(dim=(1, 2, 3))

    low, high = -torch.ones(2, 1, 3, 3), torch.ones(2, 1, 3, 3)
    assert critic_loss(score, low, high, "hinge").item() == 0.0
    assert critic_loss(score, high, low, "hinge").item() == 4.0
    assert critic_loss(score, 0 * low, 0 * high, "hinge").item() == 2.0


@given(seed=st.integers(0, 1000), kernel=st.sampled_from([0, 1, 2, 50]))
def test_laws_of_the_pair_wise_term(seed, kernel):
    student, teacher = maps(seed, 2, 4, 7, 6), maps(seed + 1, 2, 4, 7, 6)
    value = pairwise_similarity(student, teacher, kernel=kernel)
    assert value >= 0.0
    assert pairwise_similarity(student, student, kernel=kernel).item() == pytest.approx(0.0, abs=1e-12)
    assert torch.isclose(pairwise_similarity(teacher, student, kernel=kernel), value)
    assert torch.isclose(pairwise_similarity(3.0 * student, teacher, kernel=kernel), value)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    assert torch.isclose(pairwise_similarity(student[:, order], teacher, kernel=kernel), value)


@given(seed=st.integers(0, 1000))
def test_without_pooling_channels_may_be_rotated(seed):
    student, teacher = maps(seed, 2, 4, 3, 4), maps(seed + 1, 2, 3, 3, 4)
    rotated = torch.einsum("dc,nchw->ndhw", torch.linalg.qr(maps(seed + 2, 4, 4)).Q, student)
    values = [pairwise_similarity(each, teacher, kernel=1) for each in (student, rotated)]
    assert torch.isclose(*values)


@pytest.mark.parametrize("kernel", [0, 1])
def test_pair_wise_gradient(kernel):
    student, teacher = maps(0, 2, 3, 4, 5).requires_grad_(), maps(1, 2, 5, 4, 5)
    assert torch.autograd.gradcheck(lambda s: pairwise_similarity(s, teacher, kernel=kernel), student)


def test_means_do_not_depend_on_how_a_batch_is_split():
    student, teacher = maps(0, 4, 3, 5, 5), maps(1, 4, 3, 5, 5)
    for loss in (pixelwise_cross_entropy, pairwise_similarity):
        halves = [loss(student[part], teacher[part]) for part in (slice(0, 2), slice(2, 4))]
        assert torch.isclose(sum(halves) / 2, loss(student, teacher))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_features_without_direction_are_finite(size):
    student = torch.zeros(1, 3, size, size, requires_grad=True)
    value = pairwise_similarity(student, torch.randn(1, 5, 2 * size, 2 * size))
    value.backward()
    assert value.isfinite()
    assert student.grad.abs().max() == 0.0


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (24, 24), (65, 65), (80, 33)])
@pytest.mark.parametrize("channels", [1, 14])
def test_the_critic_takes_maps_of_any_size(size, channels):
    critic = Critic(channels, width=8)
    student, teacher = torch.rand(1, channels, *size), torch.rand(1, channels, *size)
    loss = critic_loss(critic, student, teacher) + gradient_penalty(critic, student, teacher, torch.rand(1, 1, 1, 1))
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in critic.parameters())


def test_the_critic_has_the_size_of_the_authors():
    assert sum(p.numel() for p in Critic(19).parameters()) == pytest.approx(3.19e6, rel=0.01)


def test_a_flat_critic_has_a_finite_penalty():
    critic = nn.Conv2d(2, 1, 1)
    nn.init.zeros_(critic.weight)
    value = gradient_penalty(critic, torch.rand(2, 2, 3, 3), torch.rand(2, 2, 3, 3), torch.rand(2, 1, 1, 1))
    value.backward()
    assert value.item() == 1.0
    assert critic.weight.grad.isfinite().all()


def test_the_critic_learns_to_tell_teacher_from_student():
    torch.manual_seed(0)
    critic = Critic(2, width=4)
    optimizer = torch.optim.Adam(critic.parameters(), lr=2e-3)
    for _ in range(15):
        student, teacher = torch.rand(4, 2, 8, 8), 1 + torch.rand(4, 2, 8, 8)
        loss = critic_loss(critic, student, teacher)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < -0.1


@pytest.mark.parametrize("conditional", [True, False])
def test_every_term_is_what_the_equation_says(make_step, conditional):
    step = make_step()
    method = Structured(step.setting(), conditional=conditional, width=8)
    terms = method(step)
    student, teacher = step.student(step.labeled), step.teacher(step.labeled)
    assert list(terms) == [SUPERVISED, "pixel", "pair", "holistic"]
    assert torch.equal(terms["pixel"], pixelwise_kl(student.maps[0], teacher.maps[0]))
    assert torch.equal(terms["pair"], pairwise_similarity(student.features["decoder"], teacher.features["decoder"]))
    (terms["holistic"]).backward(retain_graph=True)
    assert all(p.grad is None for p in method.critic.parameters())
    assert step.student_net.head.weight.grad.abs().max() > 0
    step.student_net.zero_grad()
    method.critic_loss(step).backward()
    assert all(p.grad is None or p.grad.abs().max() == 0 for p in step.student_net.parameters())
    assert all(p.grad.isfinite().all() for p in method.critic.parameters())


def test_the_authors_normalisation_is_an_option(make_step):
    step = make_step()
    terms = Structured(step.setting(), holistic=0.0, reduction="reference")(step)
    student, teacher = step.student(step.labeled), step.teacher(step.labeled)
    entropy = pixelwise_cross_entropy(teacher.maps[0], teacher.maps[0], "reference")
    cross_entropy = pixelwise_cross_entropy(student.maps[0], teacher.maps[0], "reference")
    assert_alike(terms["pixel"], cross_entropy - entropy)
    features = student.features["decoder"], teacher.features["decoder"]
    assert torch.equal(terms["pair"], pairwise_similarity(*features, reduction="reference"))


def test_the_critic_sees_probabilities_and_the_image(make_step):
    step = make_step()
    student, teacher = Structured(step.setting(), width=8)._seen(step)
    assert student.shape == teacher.shape == (3, 4 + 3, 4, 4)
    assert_alike(student[:, :4].sum(dim=1), torch.ones(3, 4, 4))
    assert torch.equal(student[:, 4:], F.avg_pool2d(step.labeled.image, 4))


def test_hinge_has_no_penalty(make_step):
    step = make_step()
    method = Structured(step.setting(), adversary="hinge", width=8).eval()
    student, teacher = method._seen(step)
    assert torch.equal(method.critic_loss(step), critic_loss(method.critic, student, teacher, "hinge"))


def test_terms_without_weight_cost_nothing(make_step):
    step = make_step()
    method = Structured(step.setting(), pixel=0.0, pair=0.0, holistic=0.0)
    assert method.critic is None
    assert list(method(step)) == [SUPERVISED]
    assert step.calls == ["student:labeled"]
    assert not list(method.parameters())
    with pytest.raises(TypeError, match="no critic"):
        method.critic_loss(step)


@pytest.mark.parametrize("option", [{"holistic": -1.0}, {"scale": 0.0}, {"kernel": -1}, {"width": 0}])
def test_senseless_options_are_refused(make_step, option):
    with pytest.raises(InputError, match=next(iter(option))):
        Structured(make_step().setting(), **option)
