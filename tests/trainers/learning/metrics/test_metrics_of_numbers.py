"""Errors in relation to something: to the target, to a season's change, by step ahead."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_percentage_error

from trainers.conformance.metrics import value_of

SCALED = {"target_scale": np.array([7.3]), "target_shift": np.array([41.7])}
# Targets 0, 10, 20 and -40, answered by 5, 12, 15 and -40.
TARGETS, ANSWERS = [0.0, 10.0, 20.0, -40.0], [5.0, 12.0, 15.0, -40.0]


def scaled(values):
    """As a network sees numbers of the scale above."""
    return torch.tensor([[(v - 41.7) / 7.3] for v in values], dtype=torch.float32)


@pytest.mark.parametrize(
    ("metric", "by_hand"),
    [
        ("mape", (0.2 + 0.25 + 0) / 3),
        ("mape_left_out", 1),
        ("smape", (2 + 4 / 22 + 10 / 35 + 0) / 4),
        ("wape", 12 / 70),
        ("mase", 3 / 6),
        ("rmsse", math.sqrt(54 / 4 / 9)),
    ],
)
def test_relative_errors_are_of_own_units(metric, by_hand):
    """A target that was 0 before it was scaled is left out of mape, whatever rounding makes it."""
    unit = {"seasonal_errors": np.array([[6.0], [9.0]])}
    found = value_of(metric, "mse", scaled(ANSWERS), scaled(TARGETS), **SCALED, **unit)
    assert found == pytest.approx(by_hand, rel=1e-5)


def test_mape_equals_scikit_learns_on_what_is_not_masked():
    random = np.random.default_rng(0)
    targets, answers = random.uniform(1, 9, (40, 2)), random.normal(size=(40, 2))
    mask = random.random((40, 2)) < 0.7
    hidden = torch.from_numpy(np.where(mask, targets, np.nan))
    found = value_of("mape", "mse", torch.from_numpy(answers), hidden, torch.from_numpy(mask))
    assert found == pytest.approx(mean_absolute_percentage_error(targets[mask], answers[mask]))


@pytest.mark.parametrize("metric", ["mape", "wape"])
def test_targets_of_nothing_but_0_define_no_relative_error(metric):
    assert value_of(metric, "mse", scaled(ANSWERS), scaled([0.0] * 4), **SCALED) is None


def test_outputs_that_repeat_their_past_exactly_have_no_scaled_error():
    one = torch.tensor([[1.0, 5.0], [3.0, 7.0]])
    unit = np.array([[2.0, 0.0], [4.0, 0.0]])
    assert value_of("mase", "mse", one, torch.zeros(2, 2), seasonal_errors=unit) == 1.0


def test_steps_of_a_horizon_are_told_apart():
    """Two targets two steps ahead: errors 1 and 2, then 3 and 4."""
    answers = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    ahead = {"horizon": 2, "target_scale": np.array([1.0, 10.0, 1.0, 10.0])}
    found = [
        value_of(f"mae/h{step}", "mse", answers, torch.zeros(1, 4), **ahead) for step in (1, 2)
    ]
    assert found == [(1 + 20) / 2, (3 + 40) / 2]
    unit = {"seasonal_errors": np.array([[1.0, 10.0, 2.0, 20.0]] * 2)}
    found = [
        value_of(f"mase/h{step}", "mse", answers, torch.zeros(1, 4), **ahead, **unit)
        for step in (1, 2)
    ]
    assert found == [(1 + 2) / 2, (1.5 + 2) / 2]


def test_a_step_without_a_target_has_no_metric():
    mask = torch.tensor([[True, False]])
    args = "mse", torch.ones(1, 2), torch.zeros(1, 2), mask
    assert value_of("rmse/h1", *args, horizon=2) == 1.0
    assert value_of("rmse/h2", *args, horizon=2) is None
