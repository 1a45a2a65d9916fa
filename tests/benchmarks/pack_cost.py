"""What a pack costs on a CPU: `python -m tests.benchmarks.pack_cost`.

K trials in one pack against the same K trials one after another, each alone on the fastest backend
(`auto` of one slot): an epoch of each, turn about in one process, processor time of one thread.
Above 1 a pack is slower than its trials alone. Then a pack that changes: at the end of every epoch
one trial is dropped and a new one admitted, against the pack that stays as it is.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.benchmarks.hand_written import ragged_data
from tests.benchmarks.training_law import interleaved
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData
from trainers.network.recurrence import Wanted
from trainers.packs.pack import Pack

_SLOTS = (1, 2, 4, 8, 16)
_CELLS = ("lstm", "gru")
_HIDDEN = (16, 32, 64)
_BACKENDS: dict[str, Wanted] = {"slot by slot": "auto", "fused, stepwise": "stepwise"}
_STEPS, _FEATURES = 40, 8


@dataclass(frozen=True)
class _Net:
    cell: str
    hidden_size: int

    def config(self, trial: int) -> TrainConfig:
        return TrainConfig.from_mapping(
            {
                "cell": self.cell,
                "hidden_size": self.hidden_size,
                "batch_size": 32,
                "readout": "every",
                "learning_rate": 1e-3 * (1 + trial % 16 / 16),
                "clip_norm": 1.0,
                "max_epochs": 10_000,
                "seed": trial,
            }
        )


def measure(quick: bool) -> Sequence[Figure]:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    small = ragged_data(64 if quick else 256, _STEPS, _FEATURES, masked=True)
    found = []
    for name, backend in _BACKENDS.items():
        found += _against_alone(name, backend, small, quick)
    for name, backend in _BACKENDS.items():
        found.append(_refilled(name, backend, small, 3 if quick else 31))
    return found


def _against_alone(name: str, backend: Wanted, data: SequenceData, quick: bool) -> list[Figure]:
    slots = _SLOTS[:3] if quick else _SLOTS
    nets = [_Net(cell, size) for cell in _CELLS for size in (_HIDDEN[1:2] if quick else _HIDDEN)]
    found = []
    for count in slots:
        ratios = {
            f"{net.cell} {net.hidden_size}": _ratio(net, backend, data, count, 1 if quick else 3)
            for net in nets
        }
        what = f"pack of {count} on CPU, {name}, against its trials alone"
        found.append(
            Figure(what, round(statistics.median(ratios.values()), 3), "x", None, "less", ratios)
        )
    return found


def _ratio(net: _Net, backend: Wanted, data: SequenceData, slots: int, pairs: int) -> float:
    together = _pack(net, backend, data, slots)
    alone = [_pack(net, "auto", data, 1, first) for first in range(slots)]
    ratios = interleaved(_epoch_of(together), lambda: [_epoch(pack) for pack in alone], pairs)
    return round(statistics.median(ratios), 3)


def _refilled(name: str, backend: Wanted, data: SequenceData, pairs: int) -> Figure:
    """Compare a pack that gets a new trial every epoch with one that keeps its trials."""
    net, slots = _Net("lstm", 32), 8
    fixed = _pack(net, backend, data, slots)
    changing = _Changing(_pack(net, backend, data, slots), net, slots)
    ratios = interleaved(changing.epoch, _epoch_of(fixed), pairs)
    what = f"pack of {slots} on CPU, {name}, one trial replaced every epoch, against a fixed one"
    details = {
        "quartiles": [round(q, 3) for q in statistics.quantiles(ratios, n=4)],
        "drop_and_admit_ms": round(statistics.median(changing.refills) * 1e3, 2),
        "epoch_ms": round(statistics.median(changing.epochs) * 1e3, 1),
    }
    return Figure(what, round(statistics.median(ratios), 3), "x", 1.02, "less", details)


class _Changing:
    """A pack whose oldest slot gets a new trial at the end of every epoch."""

    def __init__(self, pack: Pack, net: _Net, slots: int) -> None:
        self._pack, self._net, self._slots, self._next = pack, net, slots, slots
        self.epochs: list[float] = []
        self.refills: list[float] = []

    def epoch(self) -> None:
        began = time.thread_time()
        _epoch(self._pack)
        trained = time.thread_time()
        self._refill()
        self.epochs.append(trained - began)
        self.refills.append(time.thread_time() - trained)

    def _refill(self) -> None:
        slot = self._next % self._slots
        self._pack.drop(slot)
        self._pack.admit(slot, self._net.config(self._next))
        self._next += 1


def _pack(net: _Net, backend: Wanted, data: SequenceData, slots: int, first: int = 0) -> Pack:
    structure = net.config(0).structure()
    pack = Pack(structure, data, Objective("mse", "minimize"), slots=slots, backend=backend)
    for slot in range(slots):
        pack.admit(slot, net.config(first + slot))
    return pack


def _epoch_of(pack: Pack) -> Callable[[], object]:
    return lambda: _epoch(pack)


def _epoch(pack: Pack) -> None:
    """Train every slot to the end of its epoch."""
    pack.train_epoch()


if __name__ == "__main__":
    figures.main({"pack_cost": measure}, __doc__ or "")
