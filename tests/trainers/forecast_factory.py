"""Sequences that end in a forecast of several steps, as an encoder-decoder learns them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.trainers.factory import prefix_mask
from trainers.config.fitting import decoder_settings
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.padding import last_step_mask

HORIZON, TARGETS, AHEAD, STEPS = 4, 2, 3, 7


def forecast_set(rows, *, pattern="none", missing=False, ahead=AHEAD, seed=0):
    """Sums of what is known ahead, begun by the last inputs; the targets' past is features 0, 1."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(rows, STEPS, 3))
    known = random.normal(size=(rows, HORIZON, ahead)) if ahead else None
    mask = None
    if pattern != "none":
        mask = prefix_mask(np.arange(rows) % 4 + STEPS - 3, STEPS)
        if pattern == "gaps":
            mask[1, 1:3] = mask[4, :2] = False
    last = STEPS - 1 - (np.zeros(rows, int) if mask is None else mask[:, ::-1].argmax(axis=1))
    begin = inputs[np.arange(rows), last, :TARGETS]
    moves = 0.5 if known is None else known[:, :, :1]
    answers = begin[:, None] * 0.5 ** np.arange(1, HORIZON + 1)[:, None] + 0.3 * moves
    targets = np.broadcast_to(
        answers.reshape(rows, 1, HORIZON * TARGETS), (rows, STEPS, HORIZON * TARGETS)
    )
    target_mask = np.asarray(last_step_mask(mask, rows, STEPS))
    if missing:
        each = random.random((rows, HORIZON * TARGETS)) < 0.7
        each[:, 0] = True
        each[2] = False  # a sequence without a single target
        target_mask = target_mask[..., None] & each[:, None]
    if mask is not None:
        inputs[~mask] = np.nan
    return SequenceSet(inputs, np.array(targets), mask, target_mask, ahead=known)


def forecast_data(pattern="none", *, rows=20, **options):
    parts = (forecast_set(n, pattern=pattern, seed=n, **options) for n in (rows, 9))
    return SequenceData(
        "forecast", "regression", *parts, None, 3, HORIZON * TARGETS, "digest", one_target=True,
        horizon=HORIZON, past_targets=(0, 1),
    )  # fmt: skip


def decoding(data, **fields):
    """Settings of an encoder-decoder of this data."""
    base = TrainConfig(
        cell="gru", hidden_size=4, num_layers=2, batch_size=6, max_epochs=3, learning_rate=0.02,
        dtype="float64", architecture="encoder_decoder", **decoder_settings(data),
    )  # fmt: skip
    return replace(base, **fields)
