"""Five seeds of the vowels sweep's best trial, alone and together, on the official test part.

    rnn-sweep run vowels
    python -m tests.benchmarks.vowels_ensemble sweeps/vowels

The configuration is the one that the sweep chose by validation; only the seed differs. The
ensemble's class is the one with the highest mean probability, so no weight is chosen by test data.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from sweep.results.results import open_results
from sweep.running.preparation import Prepared, prepare
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceSet
from trainers.packs.pack import Pack
from trainers.use.export import export_checkpoint


def main() -> None:
    """Train, then print one line a seed and one for the ensemble."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweep", type=Path, help="folder of a finished sweep of vowels")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    results = open_results(options.sweep)
    best = results.best()
    if best is None:
        raise SystemExit(f"a sweep with a complete trial is needed, but {options.sweep} has none.")
    prepared = prepare(results.config)
    chosen = prepared.train_config(best.number, best.params)
    print(f"trial {best.number}: {best.params}")
    ensemble(prepared, chosen, range(options.seeds))


def ensemble(prepared: Prepared, chosen: TrainConfig, seeds: range) -> float:
    """Train `chosen` under every seed; return the accuracy of their mean probability."""
    test = prepared.data.test
    assert test is not None
    labels, lengths = _labels(test)
    probabilities, accuracies = [], []
    for seed in seeds:
        logits = trained_logits(prepared, dataclasses.replace(chosen, seed=seed), test, lengths)
        probabilities.append(logits.softmax(-1))
        accuracies.append(_accuracy(logits, labels))
        print(f"seed {seed}: test accuracy {accuracies[-1]:.4f}", flush=True)
    together = _accuracy(torch.stack(probabilities).mean(0), labels)
    print(f"mean of {len(accuracies)} seeds {statistics.mean(accuracies):.4f}")
    print(f"ensemble {together:.4f}")
    return together


def trained_logits(
    prepared: Prepared, config: TrainConfig, part: SequenceSet, lengths: Tensor
) -> Tensor:
    """Train one configuration to its end; return its best weights' logits `(rows, classes)`."""
    pack = Pack(config.structure(), prepared.data, prepared.goal.leading)
    pack.admit(0, config)
    while pack.train_epoch():
        pass
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trial.safetensors"
        pack.save(0, path)
        network = export_checkpoint(path)
    with torch.no_grad():
        logits: Tensor = network(torch.nan_to_num(torch.from_numpy(part.inputs)), lengths)
    return logits


def _labels(part: SequenceSet) -> tuple[Tensor, Tensor]:
    """Return each row's class at its last existing step, and its length, both `(rows,)`."""
    assert part.input_mask is not None
    lengths = torch.from_numpy(part.input_mask.sum(1))
    classes = torch.tensor(part.targets)
    return classes[torch.arange(len(lengths)), lengths - 1], lengths


def _accuracy(scores: Tensor, labels: Tensor) -> float:
    return float((scores.argmax(-1) == labels).double().mean())


if __name__ == "__main__":
    main()
