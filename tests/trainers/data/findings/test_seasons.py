"""The length of a window follows from the target's season, or from the step."""

import numpy as np
import pytest

from trainers.data.findings.seasons import autocorrelation, window_length

MINUTE = 60e9
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def wave(period, rows=5_000, noise=0.3):
    rng = np.random.default_rng(0)
    return 50 + np.sin(2 * np.pi * np.arange(rows) / period) + noise * rng.normal(size=rows)


@pytest.mark.parametrize(
    ("values", "step", "length"),
    [
        (wave(24), HOUR, 24),
        (wave(24) + 0.5 * wave(168), HOUR, 24),
        (wave(24) + np.arange(5_000) / 50, HOUR, 24),
        (wave(144), 10 * MINUTE, 144),
        (wave(96), 15 * MINUTE, 96),
        (wave(12, rows=480), 30 * DAY, 12),
        (wave(7), DAY, 14),  # two weeks: one is short
        (wave(50), None, 50),
        (wave(288), 5 * MINUTE, 72),  # a day would be too long: six hours
        (np.random.default_rng(0).normal(size=5_000), HOUR, 24),
        (np.random.default_rng(0).normal(size=5_000), None, 24),
    ],
)
def test_a_window_is_as_long_as_a_season(values, step, length):
    assert window_length(values, step) == length


def test_a_window_is_at_most_a_tenth_of_the_training_rows():
    assert window_length(wave(24), HOUR, rows=100) == 10
    assert window_length(np.arange(5.0)) == 1


@pytest.mark.parametrize("values", [np.ones(999), np.full(999, np.nan), np.zeros(0)])
def test_without_variation_the_usual_length_is_taken(values):
    assert window_length(values, HOUR, rows=999) == 24
    assert len(autocorrelation(values, 10)) == 0


def test_missing_values_do_not_hide_a_season():
    values = wave(24)
    values[np.arange(0, 5_000, 9)] = np.nan
    assert window_length(values, HOUR) == 24


def test_autocorrelation_equals_its_definition():
    values = np.random.default_rng(0).normal(size=200)
    flat = values - np.polyval(np.polyfit(np.arange(200), values, 1), np.arange(200))
    by_hand = [flat[lag:] @ flat[: 200 - lag] / (flat @ flat) for lag in range(6)]
    np.testing.assert_allclose(autocorrelation(values, 5), by_hand, atol=1e-12)
