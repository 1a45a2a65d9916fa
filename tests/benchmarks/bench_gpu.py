"""A GPU's trials per hour: `python -m tests.benchmarks --gpu` (or `make bench-gpu`).

Needs torch, numpy, pandas and safetensors only: `trainers` and nothing else of the project. Packs
of 1 to 256 small trials against the hand-written loop over `torch.nn` (cuDNN), one trial at a
time, on the same data; training epochs per second, turned into trials per hour.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from tests.benchmarks.hand_written import HandWritten, ragged_data
from trainers.config import TrainConfig
from trainers.metrics import Objective
from trainers.pack import Pack

_STEPS, _SEQUENCES, _FEATURES = 120, 512, 8
_TRIAL_EPOCHS = 10
_CELLS = ("lstm", "gru", "rnn_tanh")
_HIDDEN = (32, 64, 128)
_SLOTS = (1, 16, 64, 256)
_TARGET = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one cell, one size: a smoke test")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, or cpu to try the script")
    options = parser.parse_args(arguments)
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        print("no CUDA device")
        return 0
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    print(json.dumps(_machine(options.device)), flush=True)
    cells, sizes, slots = _CELLS, _HIDDEN, _SLOTS
    if options.quick:
        cells, sizes, slots = cells[:1], sizes[:1], slots[:2]
    best = [_compare(cell, hidden, slots, options.device) for cell in cells for hidden in sizes]
    median = statistics.median(best)
    print(f"packed against one at a time, median of all nets: {median:.2f}x (to reach {_TARGET}x)")
    return 0


def _compare(cell: str, hidden: int, slots: Sequence[int], device: str) -> float:
    """Print one line per pack size; return the best pack's ratio to one trial at a time."""
    config = TrainConfig.from_mapping(
        {
            "cell": cell,
            "hidden_size": hidden,
            "readout": "every",
            "tbptt_forward_steps": 40,
            "clip_norm": 1.0,
            "max_epochs": 10_000,
        }
    )
    data = ragged_data(_SEQUENCES, _STEPS, _FEATURES, masked=True)
    alone = _seconds(HandWritten(config, data, device).train_epoch, device)
    ratios = []
    for count in slots:
        pack = Pack(
            config.structure(), data, Objective("mse", "minimize"), slots=count, device=device
        )
        for slot in range(count):
            pack.admit(slot, replace(config, seed=slot, learning_rate=1e-3 * (1 + slot / count)))
        packed = _seconds(pack.train_epoch, device) / count
        ratios.append(alone / packed)
        line = {
            "cell": cell,
            "hidden_size": hidden,
            "slots": count,
            "trials_per_hour": round(3600 / (packed * _TRIAL_EPOCHS)),
            "alone_trials_per_hour": round(3600 / (alone * _TRIAL_EPOCHS)),
            "ratio": round(ratios[-1], 2),
            "memory_mib": _memory_mib(device),
        }
        print(json.dumps(line), flush=True)
    return max(ratios)


def _seconds(epoch: Callable[[], Any], device: str) -> float:
    """Return the median seconds of an epoch, after one that warms up."""
    taken = []
    for _ in range(4):
        began = time.perf_counter()
        epoch()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


def _memory_mib(device: str) -> int | None:
    if not device.startswith("cuda"):
        return None
    peak = torch.cuda.max_memory_allocated() // 2**20
    torch.cuda.reset_peak_memory_stats()
    return peak


def _machine(device: str) -> dict[str, Any]:
    cuda = device.startswith("cuda")
    return {
        "device": torch.cuda.get_device_name() if cuda else device,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if cuda else None,
        "python": sys.version.split()[0],
    }


if __name__ == "__main__":
    sys.exit(main())
