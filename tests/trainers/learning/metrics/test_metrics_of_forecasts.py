"""Distributions and quantiles are judged in own units, at the level asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from trainers.config.measured import Asked, find_metric
from trainers.conformance.examples import data_of
from trainers.conformance.metrics import value_of

Z = {0.9: 1.6448536269514722, 0.5: 0.6744897501960817}


def softplus_of(scale):
    """Return what a head must give for a standard deviation."""
    return math.log(math.expm1(scale - 1e-6))


def gaussian(*pairs):
    rows = [[mean, softplus_of(scale)] for mean, scale in pairs]
    return torch.tensor(rows, dtype=torch.float64)


def test_coverage_and_width_are_of_central_intervals_in_own_units():
    """Of N(0, 1) and N(0, 2), scaled by 10 and shifted: 1.5 lies within ±1.64, 4 not in ±3.29."""
    forecast, targets = gaussian((0, 1), (0, 2)), torch.tensor([[1.5], [4.0]]).double()
    own = {"target_scale": np.array([10.0]), "target_shift": np.array([3.0])}
    assert value_of("coverage", "gaussian", forecast, targets, **own) == 0.5
    assert value_of("coverage/0.5", "gaussian", forecast, targets, **own) == 0.0
    for name, level in (("width", 0.9), ("width/0.5", 0.5)):
        found = value_of(name, "gaussian", forecast, targets, **own)
        assert found == pytest.approx(2 * Z[level] * 10 * (1 + 2) / 2), name


def test_crps_is_in_own_units():
    """N(0, 1) at its mean: (√2 − 1) / √π (Gneiting & Raftery 2007, equation 21)."""
    by_hand = (math.sqrt(2) - 1) / math.sqrt(math.pi)
    targets = torch.zeros(1, 1).double()
    found = value_of("crps", "gaussian", gaussian((0, 1)), targets, target_scale=np.array([5.0]))
    assert found == pytest.approx(5 * by_hand)


def test_masked_targets_are_in_no_interval():
    forecast, mask = gaussian((0, 1), (0, 1)), torch.tensor([[True], [False]])
    targets = torch.tensor([[0.0], [math.nan]]).double()
    assert value_of("coverage", "gaussian", forecast, targets, mask) == 1.0


def test_each_step_ahead_has_its_coverage():
    rows = gaussian((0, 1), (0, 1)).reshape(1, 4)
    targets = torch.tensor([[0.0, 9.0]]).double()
    found = [
        value_of(f"coverage/0.8/h{step}", "gaussian", rows, targets, horizon=2) for step in (1, 2)
    ]
    assert found == [1.0, 0.0]


def test_the_level_without_a_name_is_the_sweeps():
    data = data_of("values")
    assert "0.9 interval" in find_metric("coverage", data, "quantile").sentence
    asked = Asked(level=0.8)
    for name in ("coverage", "width"):
        assert "0.8 interval" in find_metric(name, data, "quantile", asked).sentence
        assert "0.5 interval" in find_metric(f"{name}/.5", data, "quantile", asked).sentence
