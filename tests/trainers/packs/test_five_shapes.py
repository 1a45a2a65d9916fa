"""Karpathy's five shapes are learned from masks and zero inputs alone: one code path."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainers.factory import RMSE, admitted, finish
from trainers.config.train_config import TrainConfig
from trainers.data import load_data

READOUTS = {
    "one-to-one": "last",
    "one-to-many": "every",
    "many-to-one": "last",
    "many-to-many-delayed": "every",
    "many-to-many-synced": "every",
}


@pytest.mark.parametrize(("shape", "readout"), READOUTS.items())
def test_each_shape_is_learned(shape, readout):
    """r2 of a constant answer is 0; of one that ignores what came before, at most about 0.5."""
    data = load_data("shapes", {"shape": shape}, base_dir=Path())
    config = TrainConfig(
        cell="lstm", hidden_size=24, readout=readout, batch_size=32, learning_rate=0.01,
        max_epochs=40,
    )  # fmt: skip
    best = finish(admitted(config, data, RMSE))[-1].best_validation
    assert best["r2"] > 0.97
