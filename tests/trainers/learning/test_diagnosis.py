"""Hand-made curves, each with the judgement that a person would give."""

from __future__ import annotations

import pytest

from trainers.learning.diagnosis import diagnose

FALLING = [1.0, 0.6, 0.4, 0.3, 0.25, 0.24, 0.24, 0.24]


def test_curves_that_fall_together_and_level_off_are_balanced():
    assert diagnose(FALLING, [x + 0.05 for x in FALLING]) == "balanced"


def test_validation_that_turns_up_while_training_falls_on_is_overfitting():
    validation = [1.0, 0.6, 0.45, 0.4, 0.42, 0.45, 0.5, 0.55]
    train = [1.0, 0.6, 0.4, 0.3, 0.28, 0.26, 0.25, 0.24]
    assert diagnose(train, validation) == "overfitting"


def test_a_wide_gap_is_overfitting_even_before_validation_turns():
    assert diagnose(FALLING, [1.0, 0.8, 0.6, 0.5, 0.48, 0.48, 0.48, 0.48]) == "overfitting"
    assert diagnose(FALLING, [1.0, 0.8, 0.6, 0.5, 0.42, 0.42, 0.42, 0.42]) == "balanced"


def test_a_rise_with_training_rising_too_is_not_overfitting():
    """Both go up: the optimizer is at fault, not the capacity."""
    train = [1.0, 0.6, 0.4, 0.3, 0.3, 0.35, 0.4, 0.45]
    assert diagnose(train, [x + 0.01 for x in train]) == "balanced"


@pytest.mark.parametrize("level", [1.0, 250.0, 1e-6])
def test_training_that_hardly_falls_is_underfitting_at_any_scale(level):
    flat = [level, 0.99 * level, 0.98 * level, 0.97 * level, 0.97 * level]
    assert diagnose(flat, flat) == "underfitting"


def test_a_trial_that_was_still_falling_at_its_end_is_underfitting():
    falling = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
    assert diagnose(falling, falling) == "underfitting"
    levelled = [*falling, 0.295, 0.294, 0.293, 0.292]
    assert diagnose(levelled, levelled) == "balanced"


def test_losses_near_zero_have_no_gap_worth_the_name():
    train = [1.0, 0.1, 0.01, 0.001, 0.001, 0.001, 0.001, 0.001]
    assert diagnose(train, [1.0, 0.1, 0.02, 0.01, 0.01, 0.01, 0.01, 0.01]) == "balanced"


def test_dropout_leaves_training_above_validation_and_that_is_balanced():
    assert diagnose([x + 0.2 for x in FALLING], FALLING) == "balanced"


@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_a_few_epochs_are_too_short_to_tell(epochs):
    assert diagnose(FALLING[:epochs], FALLING[:epochs]) is None


def test_a_loss_that_is_zero_from_the_first_epoch_is_balanced():
    assert diagnose([0.0] * 4, [0.0] * 4) == "balanced"
