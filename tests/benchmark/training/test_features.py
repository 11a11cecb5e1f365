"""Features of half precision are read as float32, each converted once."""

from __future__ import annotations

import torch

from benchmark.training.features import AsFloat32


def half(**options: bool) -> torch.Tensor:
    return torch.arange(4, dtype=torch.bfloat16).requires_grad_(options.get("grad", False))


def test_a_feature_is_converted_when_it_is_first_read() -> None:
    features = AsFloat32({"fine": half(), "coarse": half()})
    assert (list(features), len(features), len(features.held())) == (["fine", "coarse"], 2, 2)
    assert torch.equal(features["fine"], torch.arange(4.0))
    assert features["fine"] is features["fine"]
    assert len(features.held()) == 3
    assert {each.dtype for each in features.values()} == {torch.float32}


def test_float32_stays_as_it_is() -> None:
    given = torch.ones(2)
    features = AsFloat32({"fine": given})
    assert features["fine"] is given
    assert len(features.held()) == 1


def test_reading_without_gradient_takes_it_from_nobody() -> None:
    features = AsFloat32({"fine": half(grad=True)})
    with torch.no_grad():
        assert not features["fine"].requires_grad
    assert features["fine"].requires_grad


def test_reading_changes_no_version_and_a_change_in_place_does() -> None:
    features = AsFloat32({"fine": half()})
    before = sum(each._version for each in features.held())
    read = features["fine"]
    assert sum(each._version for each in features.held()) == before
    read.add_(1)
    assert sum(each._version for each in features.held()) > before
