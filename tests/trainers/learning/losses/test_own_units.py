"""Likelihoods, pinball losses and errors in the targets' own units."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.trainers.factory import admitted, wrap
from trainers.config.measured import metric_names
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.conformance.metrics import value_of
from trainers.data.contract import SequenceSet
from trainers.learning.metrics import Tally

ONE = math.log(math.e - 1)  # softplus makes 1 of it


def test_a_likelihood_is_that_of_the_target_in_its_own_unit():
    # N(0, 1) of 1 in units of 10 is N(0, 10) of 10: ½ + log(2π)/2 + log 10
    outputs, targets = torch.tensor([[0.0, ONE]]), torch.tensor([[1.0]])
    found = value_of("nll", "gaussian", outputs, targets, target_scale=np.array([10.0]))
    assert found == pytest.approx(0.5 + math.log(2 * math.pi) / 2 + math.log(10), abs=1e-5)


def test_a_pinball_loss_is_of_the_targets_unit():
    # e = 2, 1, −1 at .1, .5, .9: (.2 + .5 + .1)/3, in units of 10
    outputs, targets = torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[3.0]])
    found = value_of("pinball", "quantile", outputs, targets, target_scale=np.array([10.0]))
    assert found == pytest.approx(8 / 3)


def test_outputs_of_several_units_and_masks_are_each_weighed_by_its_own():
    outputs = torch.tensor([[1.0, 1.0, 1.0, 2.0, 2.0, 2.0], [1.0] * 6])
    targets = torch.tensor([[1.0, 4.0], [math.nan, 3.0]])
    mask = torch.tensor([[True, True], [False, True]])
    scale = np.array([2.0, 10.0])
    found = value_of("pinball", "quantile", outputs, targets, mask, target_scale=scale)
    assert found == pytest.approx((0.0 + 1.0 * 10 + 1.0 * 10) / 3)  # half of e = 2, twice


def test_a_sequence_with_a_scale_of_its_own_counts_in_it():
    part = SequenceSet(np.zeros((1, 1, 1), "f4"), np.zeros((1, 1, 1), "f4"))
    data = wrap(part, target_scale=np.array([10.0]), target_shift=np.array([0.0]))
    tally = Tally(data, TrainConfig(loss="gaussian", readout="every").structure())
    rescale = torch.tensor([3.0, 7.0], dtype=torch.float64).reshape(1, 1, 2, 1)
    tally.add(torch.tensor([[[0.0, ONE]]]), torch.ones(1, 1, 1), rescale=rescale)
    tally.loss_count = 1.0
    wanted = 0.5 + math.log(2 * math.pi) / 2 + math.log(30)
    assert tally.result()["nll"] == pytest.approx(wanted, abs=1e-5)


def test_logarithms_have_no_likelihood_in_own_units():
    part = SequenceSet(np.zeros((1, 1, 1), "f4"), np.zeros((1, 1, 1), "f4"))
    logs = wrap(part, target_transform="log1p")
    assert "nll" in metric_names(wrap(part), "gaussian")
    assert "nll" not in metric_names(logs, "gaussian")


def test_quantiles_of_logarithms_have_a_pinball_loss_in_own_units():
    outputs = torch.tensor([[0.0, 0.0, 1.0]])  # 0, 0 and e − 1 against 0: .1 (e − 1), of three
    found = value_of(
        "pinball", "quantile", outputs, torch.tensor([[0.0]]), target_transform="log1p"
    )
    assert found == pytest.approx(0.1 * (math.e - 1) / 3, rel=1e-6)


def test_quantiles_that_cross_are_judged_as_they_are_reported():
    crossing, targets = torch.tensor([[4.0, 2.0, 1.0]]), torch.tensor([[3.0]])
    in_order = value_of("pinball", "quantile", torch.tensor([[1.0, 2.0, 4.0]]), targets)
    assert value_of("pinball", "quantile", crossing, targets) == in_order


def test_errors_of_logarithms_are_of_what_they_are_logarithms_of():
    # log(1 + y) = 2x + 1: y = e − 1 and e³ − 1 against answers e³ − 1 and e³ − 1
    fields = {"target_scale": np.array([2.0]), "target_shift": np.array([1.0])}
    fields["target_transform"] = "log1p"
    outputs, targets = torch.tensor([[1.0], [1.0]]), torch.tensor([[0.0], [1.0]])
    off = math.e**3 - math.e
    mae, rmse = (value_of(m, "mse", outputs, targets, **fields) for m in ("mae", "rmse"))
    assert mae == pytest.approx(off / 2, rel=1e-6)
    assert rmse == pytest.approx(off / math.sqrt(2), rel=1e-6)
    mape = value_of("mape", "mse", outputs, targets, **fields)
    assert mape == pytest.approx(off / (math.e - 1) / 2, rel=1e-6)


def test_a_score_of_logarithms_is_that_of_their_quantiles_in_own_units():
    outputs = torch.tensor([[0.5, 0.5, 0.5]])  # all mass at e^½ − 1
    score = value_of("crps", "quantile", outputs, torch.tensor([[0.0]]), target_transform="log1p")
    assert score == pytest.approx(math.expm1(0.5), rel=1e-6)


@pytest.mark.parametrize("loss", ["mse", "gaussian"])
def test_r2_of_logarithms_is_that_of_own_units(loss):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6, 5, 1)).astype("f4")
    part = SequenceSet(values, values)
    fields = {"target_scale": np.array([0.5]), "target_shift": np.array([1.0])}
    data = wrap(part, **fields, target_transform="log1p")
    config = TrainConfig(loss=loss, readout="every", hidden_size=3, max_epochs=1)
    pack = admitted(config, data, Objective("rmse", "minimize"))
    pack.train(0)
    found = pack.evaluate(0, "validation")
    own = np.expm1(values * 0.5 + 1.0)
    squares = ((own - own.mean()) ** 2).mean()
    assert found["r2"] == pytest.approx(1 - found["mse"] / squares, rel=1e-5)
