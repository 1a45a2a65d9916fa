"""Inputs that know the target before it comes are found; what merely goes with it is not."""

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.findings.finding_tables import ROWS, judged
from trainers.data.findings.leaks import leaks


def walk(rows=ROWS, seed=0):
    return np.cumsum(np.random.default_rng(seed).normal(size=rows))


def noise(rows=ROWS, seed=0):
    return np.random.default_rng(seed).normal(size=rows)


def later(values, rows):
    return np.append(values[rows:], np.zeros(rows))


def found(x, y, **values):
    frame = pd.DataFrame({"y": y, "x": x})
    return [finding.text for finding in leaks(judged(frame, **values))]


@pytest.mark.parametrize("target", [walk(), noise(), 100 * noise() ** 3])
@pytest.mark.parametrize("change", [lambda x: x, lambda x: 5 - 2 * x, lambda x: np.round(x, 3)])
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_the_target_some_rows_ahead_is_wrong(target, change, rows):
    x = change(later(target, rows))
    x[-rows:] = np.nan
    (text,) = found(x, target, ahead=range(1, 3), input_steps=4)
    assert f"input 'x' is the target 'y' of {rows} row" in text
    assert "data.drop: [x]" in text


def test_a_lead_within_the_window_is_seen_by_its_first_row():
    y = noise()
    assert found(later(y, 6), y, ahead=range(1, 2), input_steps=6)
    assert not found(later(y, 7), y, ahead=range(1, 2), input_steps=6)


def test_the_same_row_is_a_leak_where_it_is_what_is_predicted():
    y = noise()
    (text,) = found(3 * y, y, ahead=range(1), inputs=("x",))
    assert "of the same row" in text
    assert not found(3 * y, y, ahead=range(1, 2))


def test_a_column_known_ahead_must_not_be_the_target():
    y = noise()
    assert found(y * 2, y, known=("x",), inputs=("y",))


@pytest.mark.parametrize(
    "x",
    [
        np.append(0.0, walk()[:-1]),  # the past
        walk() + 0.01 * noise(),  # goes with it
        later(walk(), 1) + 0.5 * noise(seed=1),  # a forecast with errors
        noise(seed=3),
        np.zeros(ROWS),
    ],
)
def test_what_goes_with_the_target_is_no_leak(x):
    assert not found(x, walk())


def test_a_periodic_target_equals_its_future_and_its_past():
    y = np.sin(2 * np.pi * np.arange(ROWS) / 4)
    assert not found(np.roll(y, 1), y, input_steps=8)


def test_a_smooth_target_is_no_leak_of_itself():
    y = np.cumsum(walk(4000))
    assert not found(y + 1e-4 * noise(4000), y)


def test_leads_do_not_cross_from_series_to_series():
    y = noise(ROWS)
    x = later(y, 1)
    bounds = np.arange(0, ROWS + 1, 8)
    x[bounds[1:] - 1] = 50.0  # what follows in the file is another series
    assert found(x, y, bounds=bounds, series=("s",))
    assert not found(x, y)


def test_classes_under_other_names_are_a_leak():
    labels = np.random.default_rng(0).choice(["a", "b", "c"], ROWS)
    names = pd.Series(labels).map({"a": 2, "b": 7, "c": 1})
    values = {"ahead": range(1), "inputs": ("x",), "classes": True}
    assert found(names, labels, **values)
    assert found(names.shift(-1), labels, **{**values, "ahead": range(1, 2)})
    assert not found(names.shift(1), labels, **{**values, "ahead": range(1, 2)})
    assert not found(noise(), labels, **values)


def test_a_table_of_few_rows_is_not_judged():
    y = noise(20)
    assert not found(later(y, 1), y)


def test_sequences_have_no_rows_ahead():
    y = noise()
    assert not found(later(y, 1), y, ahead=None)
