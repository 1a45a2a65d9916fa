"""The trial that platforms are compared on: half a second of training on one core.

LSTM 32 on 1,024 sequences of 60 steps (the adding problem); the number of epochs is chosen so that
a trial takes half a second here. What is searched leaves the amount of work alone.
"""

from __future__ import annotations

import statistics
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

TRIAL_SECONDS = 0.5
DATA = {
    "source": "adding",
    "length": 60,
    "train_sequences": 1024,
    "validation_sequences": 128,
    "test_sequences": 64,
}
TRAIN = {"cell": "lstm", "hidden_size": 32, "batch_size": 64}
FREE = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "weight_decay": {"low": 1e-6, "high": 1e-2, "log": True},
    "clip_norm": {"low": 0.1, "high": 10.0, "log": True},
    "lr_decay_rate": {"low": 0.5, "high": 1.0},
}
METRIC = "mse"


def sweep_file(
    name: str, trials: int, workers: int, epochs: int, **sections: Any
) -> dict[str, Any]:
    """Return the sweep file of this workload, other sections added or replaced."""
    base = {
        "name": name,
        "data": DATA,
        "space": {"base": None, "parameters": FREE},
        "train": {**TRAIN, "max_epochs": epochs},
        "search": {"sampler": "tpe", "objectives": [{"metric": METRIC, "direction": "minimize"}]},
        "budget": {"trials": trials},
        "run": {"workers": workers},
        "finalists": {"count": 1},
    }
    return base | sections


def load() -> Any:
    """Return the data."""
    from trainers.data import load_data

    options = {name: value for name, value in DATA.items() if name != "source"}
    return load_data(str(DATA["source"]), options, base_dir=Path.cwd())


def new_pack(data: Any, config: Any) -> Any:
    """Return a pack of one slot that holds a trial of `config`."""
    from trainers.config.objective import Objective
    from trainers.packs.pack import Pack

    pack = Pack(config.structure(), data, Objective(METRIC, "minimize"))
    pack.admit(0, config)
    return pack


@lru_cache(maxsize=1)
def epochs_of_half_a_second() -> int:
    """Return how many epochs make a half-second trial on this machine, measured now."""
    import torch

    from trainers.config.train_config import TrainConfig

    torch.set_num_threads(1)
    config = TrainConfig.from_mapping({**TRAIN, "max_epochs": 100})
    pack = new_pack(load(), config)
    taken = []
    for _ in range(8):
        began = time.process_time()
        pack.train(0)
        taken.append(time.process_time() - began)
    return max(1, round(TRIAL_SECONDS / statistics.median(taken[2:])))
