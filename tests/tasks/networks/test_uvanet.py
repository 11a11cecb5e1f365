import pytest
import torch

from benchmark.conformance.task_checks import prediction_fault
from tasks.base import NetworkSpec
from tasks.errors import InputError
from tasks.networks.uvanet import CARes, UVANet, build
from tests.support import assert_alike


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_it_has_as_many_parameters_as_published():
    assert 0.155e6 < count(UVANet()) < 0.17e6
    assert count(UVANet(pixels=64)) == count(UVANet(pixels=32))


@pytest.mark.parametrize(
    ("inputs", "outputs", "stride", "residual"), [(8, 8, 1, True), (8, 8, 2, False), (8, 6, 1, False)]
)
def test_a_block_halves_widens_and_adds(inputs, outputs, stride, residual):
    block, feature = CARes(inputs, outputs, 3, stride).eval(), torch.randn(2, inputs, 9, 7)
    with torch.no_grad():
        assert block(feature).shape == (2, outputs, -(-9 // stride), -(-7 // stride))
        for parameter in block.project.parameters():
            parameter.zero_()
        assert torch.equal(block(feature), feature if residual else torch.zeros_like(block(feature)))


def test_attention_sees_both_the_mean_and_the_largest_value():
    block = CARes(4, 4, 1).eval()
    seen = []
    block.attention.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    block.depthwise.register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.no_grad():
        block(torch.randn(2, 4, 5, 5))
    hidden, mean, largest = seen
    assert_alike(mean, hidden.mean(dim=(2, 3)))
    assert_alike(largest, hidden.amax(dim=(2, 3)))


@pytest.mark.parametrize(
    ("size", "pixels", "factor"), [((96, 96), 32, 3), ((360, 640), 64, 6), ((45, 70), 32, 2), ((20, 31), 64, 1)]
)
def test_the_network_makes_its_few_pixels_itself(size, pixels, factor):
    network = UVANet(pixels=pixels).eval()
    with torch.no_grad():
        prediction = network(torch.randn(2, 6, *size))
    assert prediction_fault(prediction, 2, size, channels=1) is None
    assert prediction.strides == {
        "stage1": 2 * factor,
        "stage2": 4 * factor,
        "stage3": 4 * factor,
        "decoder": 2 * factor,
    }
    assert prediction.maps[0].shape[2:] == prediction.features["decoder"].shape[2:]
    assert prediction.embedding.shape == (2, 64)
    assert [maps[0].shape[1:2] for maps in prediction.branches.values()] == [(1,), (1,)]


def test_the_spatial_branch_sees_the_newest_frame_alone_and_the_temporal_one_all():
    network, clip = UVANet().eval(), torch.randn(2, 6, 32, 32)
    earlier = clip.clone()
    earlier[:, 3:] += 1
    with torch.no_grad():
        first, second = network(clip), network(earlier)
    assert torch.equal(first.branches["spatial"][0], second.branches["spatial"][0])
    assert not torch.equal(first.branches["temporal"][0], second.branches["temporal"][0])
    assert not torch.equal(first.maps[0], second.maps[0])
    assert torch.equal(first.features["stage1"], second.features["stage1"])


@pytest.mark.parametrize("frames", [1, 3])
def test_any_number_of_frames(frames):
    with torch.no_grad():
        assert UVANet(frames).eval()(torch.randn(1, 3 * frames, 40, 32)).maps[0].shape == (1, 1, 20, 16)


def test_bad_specs_are_named():
    with pytest.raises(InputError, match="no option thin; its one encoder option is pixels"):
        build(NetworkSpec(decoder="uvanet", encoder_options={"thin": 2}), 2)
    with pytest.raises(InputError, match="at least 8"):
        build(NetworkSpec(decoder="uvanet", encoder_options={"pixels": 4}), 2)
    with pytest.raises(InputError, match="uvanet has none"):
        build(NetworkSpec(decoder="uvanet", weights="imagenet"), 2)
