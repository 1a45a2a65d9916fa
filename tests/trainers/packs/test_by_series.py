"""Metrics by series: those of each series evaluated alone, and together the part's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.trainers.factory import (
    ACCURACY,
    RMSE,
    admitted,
    classes_set,
    regression_data,
    regression_set,
    wrap,
)
from trainers.config.train_config import TrainConfig
from trainers.data.common_targets import taken
from trainers.errors import DataError

ROWS, STEPS = 23, 6
OWNERS = np.array([4, 1, 1, 0, 4, 1, 1, 1, 3, 4, 1, 1, 4, 4, 1, 0, 4, 1, 1, 1, 1, 4, 1])
NAMES = ("a", "b", "c", "d", "e")  # nothing is of c
LAST = TrainConfig(cell="gru", hidden_size=3, batch_size=6, max_epochs=2, readout="last")
EVERY = replace(LAST, readout="every")


def gaps(seed=0):
    mask = np.random.default_rng(seed).random((ROWS, STEPS)) < 0.7
    mask[:, 2] = True
    return mask


def several(part, **fields):
    """A part of several series."""
    return replace(part, series=OWNERS.astype(np.int32), **fields)


def outputs_hidden(part):
    """Some outputs of some targets hidden, no target whole."""
    mask = np.random.default_rng(5).random(part.targets.shape) < 0.6
    mask[0] = False
    return replace(part, target_mask=mask)


def rescale(outputs):
    rng = np.random.default_rng(3)
    table = np.stack([rng.uniform(0.5, 3, (5, outputs)), rng.normal(size=(5, outputs))], axis=1)
    return table[OWNERS]


def data_of(part, **fields):
    return wrap(part, part, series=NAMES, **fields)


PLAIN = several(regression_set(ROWS, STEPS, outputs=2))
GAPS = several(regression_set(ROWS, STEPS, mask=gaps()))
CASES = {
    "one target": (LAST, data_of(PLAIN), RMSE),
    "own units": (
        LAST,
        data_of(PLAIN, target_scale=np.array([2.0, 9.0]), target_shift=np.array([1.0, -4.0])),
        RMSE,
    ),
    "a scale of its own": (LAST, data_of(replace(PLAIN, rescale=rescale(2))), RMSE),
    "at every step": (EVERY, data_of(PLAIN), RMSE),
    "gaps": (EVERY, data_of(GAPS), RMSE),
    "gaps and one target": (LAST, data_of(GAPS), RMSE),
    "hidden outputs": (EVERY, data_of(outputs_hidden(PLAIN)), RMSE),
    "mean by window": (replace(EVERY, loss_reduction="sequence_mean"), data_of(GAPS), RMSE),
    "sum by window": (replace(EVERY, loss_reduction="sequence_sum"), data_of(GAPS), RMSE),
    "another loss": (replace(EVERY, loss="huber"), data_of(GAPS), RMSE),
    "classes": (
        replace(EVERY, loss="cross_entropy"),
        data_of(
            several(classes_set(ROWS, STEPS, mask=gaps())),
            task="classification",
            class_weights=np.array([1.0, 3.0, 0.5]),
        ),
        ACCURACY,
    ),
    "labels": (
        replace(EVERY, loss="binary_cross_entropy"),
        data_of(
            replace(PLAIN, targets=(PLAIN.targets > 0).astype(np.float32)),
            task="classification",
            classes=2,
        ),
        ACCURACY,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_series_has_the_metrics_that_it_has_alone(case):
    config, data, objective = CASES[case]
    pack = admitted(config, data, objective)
    found = pack.evaluate_by_series(0, "validation")
    assert [one.series for one in found] == [0, 1, 3, 4]
    assert [one.windows for one in found] == [2, 13, 1, 7]
    for one in found:
        own = taken(data.validation, np.flatnonzero(one.series == OWNERS))
        alone = admitted(config, replace(data, train=data.train, validation=own), objective)
        assert one.metrics == pytest.approx(alone.evaluate(0, "validation"), rel=1e-5)


@pytest.mark.parametrize("case", ["one target", "own units", "a scale of its own", "at every step"])
def test_the_mean_over_windows_is_that_of_the_part(case):
    config, data, objective = CASES[case]
    pack = admitted(config, data, objective)
    pack.train(0)
    found, whole = pack.evaluate_by_series(0, "validation"), pack.evaluate(0, "validation")
    for name in ("mse", "mae", "loss"):
        mean = sum(one.windows * one.metrics[name] for one in found) / ROWS
        assert mean == pytest.approx(whole[name], rel=1e-9 if name != "loss" else 1e-6)


def test_a_series_without_a_valid_target_has_no_row():
    mask = np.ones((ROWS, STEPS), dtype=bool)
    mask[OWNERS == 3] = False
    part = replace(PLAIN, target_mask=mask)
    found = admitted(EVERY, data_of(part)).evaluate_by_series(0, "validation")
    assert [one.series for one in found] == [0, 1, 4]


def test_a_constant_series_has_no_explained_variance():
    targets = np.array(PLAIN.targets)
    targets[OWNERS == 4] = 0.1
    found = admitted(EVERY, data_of(replace(PLAIN, targets=targets))).evaluate_by_series(
        0, "validation"
    )
    assert ["r2" in one.metrics for one in found] == [True, True, True, False]


def test_data_of_one_series_are_refused():
    pack = admitted(LAST, regression_data())
    with pytest.raises(DataError, match=r"need data of several series.*data\.series"):
        pack.evaluate_by_series(0, "validation")
