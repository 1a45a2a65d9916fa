"""minGRU and minLSTM against GRU and LSTM: `python -m tests.benchmarks.minimal_cells`.

An epoch of full BPTT over one batch, a target at every step, at 200, 1,000 and 4,000 steps: packs
of one trial on the backends that they choose, turn about in one process, processor time of one
thread; the median of the ratios of neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.benchmarks.training_law import figure_of, interleaved
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData, SequenceSet
from trainers.packs.pack import Pack

_ROWS, _FEATURES, _HIDDEN = 16, 8, 64
_STEPS = (200, 1_000, 4_000)
_AGAINST = {"mingru": "gru", "minlstm": "lstm"}


def measure(quick: bool) -> Sequence[Figure]:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    return [
        _ratio(cell, other, steps, 3 if quick else 9)
        for steps in (_STEPS[:1] if quick else _STEPS)
        for cell, other in _AGAINST.items()
    ]


def _ratio(cell: str, other: str, steps: int, pairs: int) -> Figure:
    data = _series(steps)
    ours, theirs = (_pack(name, data) for name in (cell, other))
    ratios = interleaved(lambda: ours.train(0), lambda: theirs.train(0), pairs)
    what = f"{cell} against {other}, {steps:,} steps: time of an epoch"
    return figure_of(what, ratios, None, hidden=_HIDDEN, rows=_ROWS)


def _series(steps: int) -> SequenceData:
    """One batch whose targets are running means of the inputs, and one row to validate on."""
    inputs = np.random.default_rng(0).normal(size=(_ROWS, steps, _FEATURES)).astype(np.float32)
    targets = np.cumsum(inputs[..., :1], axis=1) / np.sqrt(np.arange(1, steps + 1))[:, None]
    train = SequenceSet(inputs, targets.astype(np.float32))
    validation = SequenceSet(inputs[:1], train.targets[:1])
    return SequenceData("series", "regression", train, validation, None, _FEATURES, 1, "digest")


def _pack(cell: str, data: SequenceData) -> Pack:
    config = TrainConfig.from_mapping(
        {
            "cell": cell,
            "hidden_size": _HIDDEN,
            "readout": "every",
            "batch_size": _ROWS,
            "clip_norm": 1.0,
            "max_epochs": 10_000,
        }
    )
    pack = Pack(config.structure(), data, Objective("loss", "minimize"))
    pack.admit(0, config)
    return pack


if __name__ == "__main__":
    figures.main({"minimal_cells": measure}, __doc__ or "")
