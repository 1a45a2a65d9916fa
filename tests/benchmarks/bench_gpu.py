"""A GPU's trials per hour: `python -m tests.benchmarks --gpu` (or `make bench-gpu`).

Needs torch, numpy, pandas and safetensors only: `trainers` and nothing else of the project. LSTM
trials of one recurrent layer, Adam, full BPTT, with a validation pass per epoch, on the same data:
one at a time as a person would write it for speed (`torch.nn.LSTM` on cuDNN, `torch.optim.Adam`
fused, data on the device, nothing read back within an epoch) against packs of 1 to 256 trials,
captured as CUDA graphs and stepwise. A trial is ten epochs. Start-up (capture, warm-up) is left
out; `--full` measures the whole grid, and `--seconds` ends the grid early rather than late.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData, SequenceSet
from trainers.errors import OutOfMemory
from trainers.learning.batches import epoch_order
from trainers.packs.pack import Pack

_SEQUENCES, _LATER, _FEATURES, _BATCH = 256, 64, 8, 64
_TRIAL_EPOCHS = 10
_TARGET = 30.0


@dataclass(frozen=True)
class Grid:
    """What is measured."""

    hidden: tuple[int, ...]
    time_steps: tuple[int, ...]
    slots: tuple[int, ...]


_FULL = Grid((16, 32, 64, 128, 256), (50, 100, 200, 400), (1, 4, 16, 64, 256))
_COARSE = Grid((16, 64, 128, 256), (50, 200), (1, 16, 64, 256))
_QUICK = Grid((16,), (10,), (1, 4))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small net: a smoke test")
    parser.add_argument("--full", action="store_true", help="the whole grid")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, or cpu to try the script")
    parser.add_argument("--seconds", type=float, default=480, help="begin nothing after that")
    options = parser.parse_args(arguments)
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        print("no CUDA device; `--device cpu --quick` tries the script without one")
        return 0
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    print(_machine(options.device), flush=True)
    grid = _QUICK if options.quick else _FULL if options.full else _COARSE
    rows = list(_measured(grid, options.device, time.perf_counter() + options.seconds))
    _show(pd.DataFrame(rows))
    return 0


def _measured(grid: Grid, device: str, deadline: float) -> Iterator[dict[str, Any]]:
    """Measure cell by cell, each printed as it comes."""
    ways = ("graph", "stepwise") if device.startswith("cuda") else ("eager", "stepwise")
    for time_steps in grid.time_steps:
        data = series(time_steps)
        for hidden in grid.hidden:
            if time.perf_counter() > deadline:
                print("out of time: what is left of the grid is not measured", flush=True)
                return
            config = config_of(hidden)
            alone = _seconds(Serial(config, data, device).train_epoch, device)
            yield _row("serial", hidden, time_steps, 1, alone, alone, device)
            for way in ways:
                yield from _packs(way, config, data, grid.slots, alone, device)


def _packs(
    way: Any,
    config: TrainConfig,
    data: SequenceData,
    sizes: Sequence[int],
    alone: float,
    device: str,
) -> Iterator[dict[str, Any]]:
    """Measure growing packs until one does not fit."""
    for slots in sizes:
        try:
            seconds = _seconds(_trained(way, config, data, slots, device), device) / slots
        except OutOfMemory:
            print(f"{way}, hidden {config.hidden_size}: {slots} do not fit", flush=True)
            return
        steps = data.train.time_steps
        yield _row(way, config.hidden_size, steps, slots, seconds, alone, device)


def _trained(
    way: Any, config: TrainConfig, data: SequenceData, slots: int, device: str
) -> Callable[[], Any]:
    objective = Objective("mse", "minimize")
    pack = Pack(config.structure(), data, objective, slots=slots, device=device, backend=way)
    for slot in range(slots):
        pack.admit(slot, replace(config, seed=slot, learning_rate=1e-3 * (1 + slot / slots)))
    return pack.train_epoch


def config_of(hidden: int) -> TrainConfig:
    return TrainConfig(
        cell="lstm", hidden_size=hidden, readout="every", batch_size=_BATCH, max_epochs=1_000_000
    )


def series(time_steps: int) -> SequenceData:
    """Noise with its running mean as target at every step."""

    def part(rows: int, seed: int) -> SequenceSet:
        noise = np.random.default_rng(seed).standard_normal((rows, time_steps, _FEATURES))
        means = noise.mean(axis=2, keepdims=True).cumsum(axis=1)
        targets = means / np.arange(1, time_steps + 1)[None, :, None]
        return SequenceSet(noise.astype(np.float32), targets.astype(np.float32))

    parts = part(_SEQUENCES, 0), part(_LATER, 1)
    return SequenceData("bench", "regression", *parts, None, _FEATURES, 1, "bench")


class Serial(nn.Module):
    """One trial at a time, on cuDNN."""

    def __init__(self, config: TrainConfig, data: SequenceData, device: str) -> None:
        super().__init__()
        self.place, self.epoch = device, 0
        self.rnn = nn.LSTM(_FEATURES, config.hidden_size, batch_first=True)
        self.head = nn.Linear(config.hidden_size, 1)
        self.to(device)
        rate = config.learning_rate
        fused = device.startswith("cuda")
        self.optimizer = torch.optim.Adam(self.parameters(), lr=rate, fused=fused)
        self.parts = [
            (torch.from_numpy(part.inputs).to(device), torch.from_numpy(part.targets).to(device))
            for part in (data.train, data.validation)
        ]

    def train_epoch(self) -> float:
        inputs, targets = self.parts[0]
        order = torch.from_numpy(epoch_order(0, self.epoch, len(inputs))).to(self.place)
        total = torch.zeros((), device=self.place)
        for rows in order.split(_BATCH):
            loss = self._loss(inputs[rows], targets[rows])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total += loss.detach()
        self.epoch += 1
        with torch.no_grad():
            return float(total + self._loss(*self.parts[1]))

    def _loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.mse_loss(self.head(self.rnn(inputs)[0]), targets)


def _seconds(epoch: Callable[[], Any], device: str) -> float:
    """Return the median seconds of an epoch, after one that warms up."""
    taken: list[float] = []
    epoch()
    while len(taken) < 3 or (sum(taken) < 0.5 and len(taken) < 30):
        _wait(device)
        began = time.perf_counter()
        epoch()
        _wait(device)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def _row(
    way: str, hidden: int, steps: int, slots: int, seconds: float, alone: float, device: str
) -> dict[str, Any]:
    row = {
        "hidden": hidden,
        "T": steps,
        "way": way,
        "K": slots,
        "trials_per_hour": round(3600 / (seconds * _TRIAL_EPOCHS)),
        "times_serial": round(alone / seconds, 2),
        "memory_mib": _memory_mib(device),
    }
    print(row, flush=True)
    return row


def _memory_mib(device: str) -> int | None:
    if not device.startswith("cuda"):
        return None
    peak = torch.cuda.max_memory_allocated() // 2**20
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    return peak


def _show(table: pd.DataFrame) -> None:
    """Print times serial by K, where packs begin to pay, and the goal."""
    packs = table[table["way"] != "serial"]
    wide = packs.pivot_table(index=["hidden", "T", "way"], columns="K", values="times_serial")
    print("\ntimes as many trials per hour as one at a time, by K:")
    print(wide.to_string(na_rep="-"))
    for (hidden, steps), own in packs.groupby(["hidden", "T"]):
        pays = own[own["times_serial"] > 1]
        best = own.loc[own["times_serial"].idxmax()]
        start = f"from K = {pays['K'].min()}" if len(pays) else "at no K measured"
        print(
            f"hidden {hidden}, T {steps}: a pack pays {start}; "
            f"best {best['times_serial']} x at K = {best['K']} ({best['way']})"
        )
    small = packs[packs["hidden"] <= 128].groupby(["hidden", "T"])["times_serial"].max()
    print(f"hidden <= 128, median of the best: {small.median():.3g} x (to reach {_TARGET:.0f} x)")


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
