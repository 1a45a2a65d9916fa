"""Calibrated intervals: hand-counted margins, coverage on targets that were not calibrated on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from trainers.config.train_config import Structure
from trainers.errors import CheckpointError, ConfigError
from trainers.use.intervals import LEVELS, Calibration, interval, scores_needed

POINT = Structure(loss="mse")
GAUSSIAN = Structure(loss="gaussian")


def test_the_margin_is_the_right_one_of_sorted_errors():
    """Nine errors 1 … 9: ceil(10 · .8) = 8th, ceil(10 · .9) = 9th; .91 would need a tenth."""
    errors = np.array([3, -1, 9, 2, -8, 5, 4, -6, 7], dtype=np.float64)[:, None]
    found = Calibration.of(POINT, np.zeros((9, 1)), errors, None)
    assert found.margin(0.8) == pytest.approx([8])
    assert found.margin(0.9) == pytest.approx([9])
    assert found.margin(0.91) is None
    assert found.scores.tolist() == [9]


def test_too_few_scores_are_said_with_what_would_do():
    found = Calibration.of(POINT, np.zeros((9, 1)), np.ones((9, 1)), None)
    with pytest.raises(ConfigError, match=r"level 0\.95 needs at least 19 .* calibrated on 9"):
        found.required_margin(0.95)
    assert [scores_needed(level) for level in (0.5, 0.9, 0.95, 0.99)] == [1, 9, 19, 99]


@pytest.mark.parametrize("level", [0.905, 1.0, 0.0, 90.0, 0.3])
def test_other_levels_are_refused(level):
    found = Calibration.of(POINT, np.zeros((9, 1)), np.ones((9, 1)), None)
    with pytest.raises(ConfigError, match=r"whole per cent, 0\.50 … 0\.99"):
        found.margin(level)


def test_each_output_has_its_own_and_masked_targets_do_not_count():
    targets = np.column_stack([np.arange(1.0, 21), 100 * np.arange(1.0, 21)])
    mask = np.ones(targets.shape, dtype=bool)
    targets[10:, 1], mask[10:, 1] = np.nan, False
    found = Calibration.of(POINT, np.zeros(targets.shape), targets, mask)
    assert found.scores.tolist() == [20, 10]
    assert found.margin(0.5).tolist() == [11, 600]  # ceil(21 / 2) = 11th, ceil(11 / 2) = 6th
    assert found.margin(0.95) is None  # the second output has too few


def test_a_distribution_is_widened_by_what_lay_outside_and_narrowed_where_it_was_too_wide():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(4000, 1, generator=generator, dtype=torch.float64).numpy()
    head = np.zeros((4000, 2))  # mean 0, deviation softplus(0) = .693
    for factor in (0.3, 3.0):
        found = Calibration.of(GAUSSIAN, head[:2000], factor * noise[:2000], None)
        margin = found.required_margin(0.9)
        assert (margin > 0) == (factor > 1)
        low, high = interval(GAUSSIAN, head[2000:], 0.9, margin)
        held = (low <= factor * noise[2000:]) & (factor * noise[2000:] <= high)
        assert held.mean() == pytest.approx(0.9, abs=0.02)


def test_a_margin_that_takes_more_than_there_is_leaves_a_point():
    low, high = interval(GAUSSIAN, np.zeros((1, 2)), 0.9, np.array([-5.0]))
    assert low == high == pytest.approx(0)


def test_it_is_kept_in_a_file(tmp_path: Path):
    made = Calibration.of(POINT, np.zeros((9, 1)), np.arange(9.0)[:, None], None)
    path = tmp_path / "calibration.json"
    path.write_bytes(made.to_bytes())
    read = Calibration.read(path)
    np.testing.assert_array_equal(read.margins, made.margins)
    assert read.margins.shape == (len(LEVELS), 1)
    path.write_text("{}")
    with pytest.raises(CheckpointError, match=r"calibration\.json can't be read"):
        Calibration.read(path)
