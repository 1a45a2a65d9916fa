"""The sweep that is disturbed: TPE, halving, reproducible order, trials that really train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

NAME = "chaos"
WORKERS = 2
CHECKPOINT_SECONDS = 3.0
HANG_SECONDS = 30.0


def sweep_file(trials: int, *, quick: bool) -> dict[str, Any]:
    """Return the sweep: LSTMs, GRUs and tanh networks that add two marked numbers of a sequence.

    A full trial trains for about 18 s on one core, a quick one for about 3.
    """
    sequences = 2048 if quick else 8192
    data = {"source": "adding", "length": 20 if quick else 40, "train_sequences": sequences}
    data |= {"validation_sequences": 256, "test_sequences": 256}
    parameters = {
        "hidden_size": {"low": 16, "high": 48},
        "num_layers": 1,
        "tbptt_forward_steps": [None, 10],
    }
    return {
        "name": NAME,
        "data": data,
        "space": {"base": "recurrent", "parameters": parameters},
        "train": {"max_epochs": 9 if quick else 18, "batch_size": 64},
        "search": {
            "sampler": "tpe",
            "seed": 11,
            "pruning": {"rule": "halving", "min_epochs": 1 if quick else 2, "reduction_factor": 3},
        },
        "budget": {"trials": trials},
        "run": {
            "order": "reproducible",
            "workers": WORKERS,
            "checkpoint_seconds": CHECKPOINT_SECONDS,
            "hang_seconds": HANG_SECONDS,
        },
        "finalists": {"count": 2},
    }


def write(path: Path, trials: int, *, quick: bool, **changes: dict[str, Any]) -> Path:
    """Write the sweep file; `changes` go into its sections."""
    values = sweep_file(trials, quick=quick)
    for section, more in changes.items():
        values[section] = {**values.get(section, {}), **more}
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path
