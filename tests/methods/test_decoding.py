"""Decoding by chains: posteriors against enumeration, and what it does to predictions."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from methods.base import Setting
from methods.crf import ChainDistillation
from methods.decoding import ChainDecoder, grid_posteriors, row_posteriors
from tasks.errors import InputError
from tests.methods.conftest import SPACES
from tests.methods.enumeration import C, distribution, grid_models, some
from tests.support import assert_alike


def test_decoding_averages_the_posteriors_of_row_and_column():
    logits, _, across, down, *_ = grid_models()
    found = grid_posteriors(logits, across, down)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(2, 3, 4).double())
    none = torch.zeros(C, C).double()
    torch.testing.assert_close(grid_posteriors(logits, none, none), logits.softmax(dim=1))
    row = distribution(logits[1, :, 2].T, across).exp().view(C, C, C, C)
    column = distribution(logits[1, :, :, 0].T, down).exp().view(C, C, C)
    torch.testing.assert_close(found[1, :, 2, 0], (row.sum((1, 2, 3)) + column.sum((0, 1))) / 2)


def test_posteriors_are_those_of_the_enumeration():
    """Every position of a 3 x 4 grid, with the breaks that invalid positions make."""
    logits, _, across, down, *_ = grid_models()
    valid = torch.tensor(
        [[[1, 1, 0, 1], [0, 1, 1, 1], [1, 1, 1, 1]], [[1, 0, 1, 1], [1, 1, 1, 0], [0, 1, 1, 1]]]
    ).bool()
    expected = (lines(logits, across, valid) + lines(logits.mT, down, valid.mT).mT) / 2
    found = grid_posteriors(logits, across, down, valid)
    torch.testing.assert_close(found.where(valid[:, None], 0.0), expected)


def lines(maps, table, valid):
    """Posteriors of all unbroken stretches of rows, by enumeration; zero where invalid."""
    made = torch.zeros_like(maps)
    for image, row in itertools.product(range(len(maps)), range(maps.shape[2])):
        start = 0
        for mark, stretch in itertools.groupby(valid[image, row].tolist()):
            end = start + len(list(stretch))
            if mark:
                joint = distribution(maps[image, :, row, start:end].T, table).exp().view([C] * (end - start))
                for place in range(start, end):
                    others = [axis for axis in range(end - start) if axis != place - start]
                    made[image, :, row, place] = joint.sum(others) if others else joint
            start = end
    return made


@pytest.mark.parametrize("space", SPACES)
def test_without_transitions_decoding_changes_nothing(make_step, space):
    step = make_step(space)
    prediction = step.student(step.labeled)
    decoder = ChainDecoder(step.output, prediction, (0, 1))
    with torch.no_grad():
        decoder.transitions.zero_()
    for found, own in zip(decoder(prediction).maps, prediction.maps, strict=True):
        assert_alike(found, own)


@pytest.mark.parametrize(("factors", "ways"), [("grid", (0, 1)), ("rows", (0,)), ("columns", (1,))])
def test_classes_are_decoded_by_their_posteriors(make_step, factors, ways):
    step = make_step()
    method = ChainDistillation(step.setting(), student_factors=factors, decoding=True)
    with torch.no_grad():
        method.chains.transitions.copy_(some(5, method.chains.transitions.numel()))
    prediction = step.student(step.labeled)
    logits, (across, down) = prediction.maps[0].detach(), method.chains.tables[0].detach()
    each = [row_posteriors(logits, across), row_posteriors(logits.mT, down).mT]
    expected = torch.stack([each[way] for way in ways]).mean(dim=0)
    torch.testing.assert_close(method.decoder(prediction).maps[0].softmax(dim=1), expected)


def test_neighbours_that_agree_persuade_the_one_between_them(make_step):
    step = make_step("depth")
    decoder = ChainDecoder(step.output, step.student(step.labeled), (0,))
    depth = torch.full((1, 1, 1, 5), 2.0).log()
    depth[..., 2] = math.log(4.0)
    prediction = replace(step.student(step.labeled), maps=(depth,), size=(1, 5))
    found = decoder(prediction).maps[0].exp().flatten().tolist()
    assert 2.0 < found[2] < 3.9
    assert found[0] == pytest.approx(2.0, rel=0.1)


def test_a_decoder_is_built_again_from_the_student_and_the_options(make_step):
    step = make_step()
    method = ChainDistillation(step.setting(), student_factors="rows", decoding=True)
    alone = Setting(step.output, step.student(step.labeled), {})
    again = ChainDistillation.build_decoder(alone, {"decoding": True, "student_factors": "rows"})
    assert again.ways == method.decoder.ways
    assert {name: each.shape for name, each in again.state_dict().items()} == {
        name: each.shape for name, each in method.decoder.state_dict().items()
    }
    assert ChainDistillation.build_decoder(alone, {"student_factors": "rows"}) is None
    assert ChainDistillation(step.setting()).decoder is None


def test_what_cannot_be_decoded_is_refused(make_step, monkeypatch):
    step = make_step()
    with pytest.raises(InputError, match="expected grid, rows or columns"):
        ChainDistillation(step.setting(), student_factors="positions", decoding=True)
    monkeypatch.setattr(type(step.output), "relabel", lambda self, prediction, scores: None)
    with pytest.raises(InputError, match="Categorical knows no way back"):
        ChainDistillation(step.setting(), decoding=True)
