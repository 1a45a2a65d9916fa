"""The pinball loss, and focal: numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch

from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError
from trainers.learning import losses


def _structure(*levels):
    return TrainConfig(loss="quantile", quantiles=levels).structure()


def test_the_loss_is_the_mean_pinball_over_levels():
    # y = 2 against q = 1, 2.5, 4: .1 · 1, .5 · .5 and .1 · 2
    outputs, targets = torch.tensor([[[1.0, 2.5, 4.0]]]), torch.tensor([[[2.0]]])
    value = losses.elements(_structure(0.1, 0.5, 0.9), outputs, targets)
    assert value.shape == (1, 1, 1)
    assert value.item() == pytest.approx((0.1 + 0.25 + 0.2) / 3)


def test_several_outputs_have_their_levels_side_by_side():
    outputs = torch.tensor([[[0.0, 0.0, 5.0, 5.0]]])
    value = losses.elements(_structure(0.25, 0.75), outputs, torch.tensor([[[4.0, 1.0]]]))
    assert value.tolist() == [[[2.0, 2.0]]]  # (1 + 3)/2 and (3 + 1)/2


def test_a_single_level_is_a_loss_of_its_own():
    value = losses.elements(_structure(0.9), torch.tensor([[[1.0]]]), torch.tensor([[[3.0]]]))
    assert value.item() == pytest.approx(1.8)
    assert losses.point(_structure(0.9), torch.tensor([[[1.0]]])).tolist() == [[[1.0]]]


def test_the_point_is_the_level_nearest_to_a_half_of_sorted_quantiles():
    outputs = torch.tensor([[[7.0, 1.0, 3.0]]])
    assert losses.point(_structure(0.1, 0.5, 0.9), outputs).item() == 3.0
    assert losses.point(_structure(0.1, 0.2, 0.45), outputs).item() == 7.0
    assert losses.point(_structure(0.4, 0.6, 0.9), outputs).item() == 1.0  # the lower of two


@pytest.mark.parametrize(
    ("levels", "law"),
    [
        ([0.5, 0.5], "each higher than the one before"),
        ([0.9, 0.1], r"each higher than the one before, but got quantiles=\[0.9, 0.1\]"),
        ([], "at least one level"),
        ([0.0, 0.5], "0 < quantiles < 1"),
        ([0.5, 1.0], "0 < quantiles < 1"),
        (0.5, "quantiles must be a list"),
    ],
)
def test_levels_that_are_none_are_refused(levels, law):
    with pytest.raises(ConfigError, match=law):
        TrainConfig(loss="quantile", quantiles=levels)


def test_focal_weighs_an_easy_answer_less():
    # p = .8 of class 0: .2² · −log .8; p = .2 of class 1: .8² · −log .2
    outputs = torch.tensor([[[0.8, 0.2], [0.8, 0.2]]], dtype=torch.float64).log()
    targets = torch.tensor([[0, 1]])
    value = losses.elements(TrainConfig(loss="focal").structure(), outputs, targets)
    assert value.flatten().tolist() == pytest.approx([0.008925742, 1.030040263])


def test_focal_of_gamma_0_is_cross_entropy_and_has_finite_gradients_where_it_is_sure():
    outputs = torch.tensor([[[200.0, 0.0], [0.3, 0.1]]], requires_grad=True)
    targets = torch.tensor([[0, 1]])
    focal = losses.elements(
        TrainConfig(loss="focal", focal_gamma=0.0).structure(), outputs, targets
    )
    cross = losses.elements(TrainConfig(loss="cross_entropy").structure(), outputs, targets)
    torch.testing.assert_close(focal, cross)
    root = TrainConfig(loss="focal", focal_gamma=0.5).structure()
    losses.elements(root, outputs, targets).sum().backward()
    assert torch.isfinite(outputs.grad).all()
