"""One epoch against a hand-written loop: `python -m tests.benchmarks.training_epoch`.

`Pack.train` and a plain loop over `torch.nn` doing the same maths on the same data from the same
weights, turn about in one process; the median of the ratios of neighbours. That they do the same
is checked: after the first epoch their weights agree.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.benchmarks.hand_written import HandWritten, ragged_data
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.learning.checkpoint import Checkpoint, read_checkpoint
from trainers.packs.pack import Pack

_STEPS, _SEQUENCES, _FEATURES = 120, 512, 8
_ALIKE = 1e-3  # relative distance of the weights after one epoch, in float32


def measure(quick: bool) -> Sequence[Figure]:
    pairs = 4 if quick else 21
    tbptt = "one masked TBPTT epoch against torch.nn"
    return [
        _ratio(f"{tbptt}.LSTM", "lstm", 40, pairs, target=1.05),
        _ratio(f"{tbptt}.GRU", "gru", 40, pairs),
        _ratio(f"{tbptt}.RNN", "rnn_tanh", 40, pairs),
        _ratio("full BPTT, no mask, against torch.nn.LSTM", "lstm", None, pairs),
    ]


def _ratio(what: str, cell: str, k1: int | None, pairs: int, target: float | None = None) -> Figure:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    data = ragged_data(_SEQUENCES, _STEPS, _FEATURES, masked=k1 is not None)
    config = TrainConfig.from_mapping(
        {
            "cell": cell,
            "readout": "every",
            "tbptt_forward_steps": k1,
            "clip_norm": 1.0,
            "max_epochs": 10_000,
        }
    )
    pack = Pack(config.structure(), data, Objective("mse", "minimize"))
    pack.admit(0, config)
    hand = HandWritten(config, data)
    hand.copy_from(_saved(pack))
    pack.train(0)
    hand.train_epoch()
    distance = hand.distance(_saved(pack))
    if distance > _ALIKE:
        raise RuntimeError(f"{what}: after one epoch the weights are {distance:.1e} apart.")
    ours, theirs, ratios = [], [], []
    for _ in range(pairs):
        ours.append(_processor_seconds(lambda: pack.train(0)))
        theirs.append(_processor_seconds(hand.train_epoch))
        ratios.append(ours[-1] / theirs[-1])
    details = {
        "ours_ms": round(statistics.median(ours) * 1e3, 1),
        "theirs_ms": round(statistics.median(theirs) * 1e3, 1),
        "quartiles": [round(q, 3) for q in statistics.quantiles(ratios, n=4)],
        "weights_apart_after_one_epoch": float(f"{distance:.1e}"),
    }
    return Figure(what, round(statistics.median(ratios), 3), "x", target, "less", details)


def _processor_seconds(work: object) -> float:
    """Processor time, not wall time: one thread works, and the machine may be busy."""
    assert callable(work)
    began = time.thread_time()
    work()
    return time.thread_time() - began


def _saved(pack: Pack) -> Checkpoint:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.safetensors"
        pack.save(0, path)
        return read_checkpoint(path)


if __name__ == "__main__":
    figures.main({"training_epoch": measure}, __doc__ or "")
