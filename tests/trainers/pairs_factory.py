"""Pairs of sequences, as ids or numbers, as an encoder-decoder learns them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.trainers.factory import prefix_mask
from trainers.config.fitting import with_decoder
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData, SequenceSet

SYMBOLS = 4
END = SYMBOLS


def reversals(rows, seed=0, longest=5):
    """Ids of 2 to `longest` steps; the answer is the source reversed, and an end."""
    random = np.random.default_rng(seed)
    lengths = random.integers(2, longest + 1, size=rows)
    mask, answered = prefix_mask(lengths, longest + 1), prefix_mask(lengths + 1, longest + 1)
    sources = random.integers(0, SYMBOLS, size=mask.shape)
    answers = np.full(mask.shape, -99)
    for row, length in enumerate(lengths):
        answers[row, :length] = sources[row, :length][::-1]
        answers[row, length] = END
    return SequenceSet(np.where(mask, sources, 77), answers, mask, answered)


def decays(rows, seed=0, gaps=False):
    """y_t = 0.8^t · the mean of what was read; sources of 3 steps, answers of 1 to 4."""
    random = np.random.default_rng(seed)
    inputs = np.full((rows, 4, 1), np.nan)
    inputs[:, :3] = random.uniform(-1, 1, size=(rows, 3, 1))
    answers = inputs[:, :3].mean(axis=1, keepdims=True) * 0.8 ** np.arange(1, 5)[:, None]
    answered = prefix_mask(random.integers(1, 5, size=rows), 4)
    if gaps:
        answered[::3, 0] = False
        answered[0] = [False, True, False, True]
        answered[~answered.any(axis=1), 3] = True
    given = np.broadcast_to(np.arange(4) < 3, (rows, 4))
    return SequenceSet(inputs, np.where(answered[..., None], answers, np.nan), given, answered)


def reversal_data(rows=20, **fields):
    sets = reversals(rows), reversals(9, seed=1)
    return SequenceData(
        "reversals", "classification", *sets, None, SYMBOLS, SYMBOLS + 1, "digest",
        vocabulary_size=SYMBOLS, pairs=True, **fields,
    )  # fmt: skip


def decay_data(rows=20, **options):
    sets = decays(rows, **options), decays(9, seed=1, **options)
    return SequenceData("decays", "regression", *sets, None, 1, 1, "digest", pairs=True)


def answering(data, **fields):
    """Settings of an encoder-decoder of pairs."""
    settings = {
        "cell": "gru", "hidden_size": 4, "num_layers": 2, "batch_size": 6, "max_epochs": 3,
        "learning_rate": 0.02, "dtype": "float64", "readout": "every",
        "loss": "mse" if data.task == "regression" else "cross_entropy",
        "architecture": "encoder_decoder",
    }  # fmt: skip
    return replace(TrainConfig(**with_decoder(settings, data)), **fields)
