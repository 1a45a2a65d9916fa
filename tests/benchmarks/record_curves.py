"""Records the learning curves that the pruning simulator replays.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.record_curves digits adding

Configurations are drawn at random from the preset's space and trained to the end, each alone
through `trainers.Pack`: no pruning, no patience. About ten minutes a task on one core; a run that
was interrupted goes on where it stopped, and the same command gives the same curves.
"""

from __future__ import annotations

import argparse
import importlib.metadata
from pathlib import Path
from typing import Any

import torch

from sweep.config.sweep_config import load_config
from sweep.running.preparation import Prepared, prepare
from sweep.search.seeds import ask_seed
from tests.benchmarks.recorded_curves import Curve, Recording, load, path_of, save
from trainers.config.train_config import TrainConfig
from trainers.packs.pack import Pack

_MAX_EPOCHS = 27
_TASKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "digits": ("digits", ()),
    # A small adding problem: nothing is learned for some epochs, then suddenly all of it.
    "adding": (
        "adding",
        (
            "data.min_length=null",
            "data.max_length=null",
            "data.length=30",
            "data.train_sequences=1024",
            "data.validation_sequences=512",
            "data.test_sequences=32",
            "train.batch_size=32",
        ),
    ),
    # Other draws and seeds than those that the defaults of the rules were chosen on.
    "digits-again": ("digits", ("search.seed=1",)),
}
_WHOLE = (f"train.max_epochs={_MAX_EPOCHS}", "train.patience=null")


def record(task: str, trials: int, replicates: int, path: Path) -> None:
    """Train what `path` lacks of a task's curves."""
    preset, particular = _TASKS[task]
    overrides = [*particular, *_WHOLE]
    prepared = prepare(load_config(preset, overrides))
    how = {
        "preset": preset,
        "overrides": overrides,
        "torch": importlib.metadata.version("torch"),
        "data_digest": prepared.data.digest,
    }
    judged = prepared.goal.leading
    empty = Recording(task, judged.metric, judged.sign, _MAX_EPOCHS, how)
    recording = load(path) if path.exists() else empty
    for number in range(len(recording.trials), trials):
        params = prepared.space.sample(ask_seed(prepared.config.search.seed, number, "curve"))
        config = prepared.train_config(number, params)
        recording.trials.append(_trained(prepared, params, config))
        save(recording, path)
        print(f"{task} {number}: {recording.best(recording.trials[-1]):.6g}", flush=True)
    best = recording.best_trial
    for number in range(len(recording.replicates), replicates):
        seed = ask_seed(best.seed, number, "replicate")
        params = {**best.params, "seed": seed}
        config = prepared.train_config(0, params)
        recording.replicates.append(_trained(prepared, best.params, config))
        save(recording, path)
        print(f"{task}, best, seed {seed}: {recording.best(recording.replicates[-1]):.6g}")


def _trained(prepared: Prepared, params: dict[str, Any], config: TrainConfig) -> Curve:
    judged = prepared.goal.leading
    pack = Pack(config.structure(), prepared.data, judged)
    pack.admit(0, config)
    values: list[float] = []
    while True:
        report = pack.train(0)
        assert report is not None
        if judged.metric in report.validation:
            values.append(float(f"{report.validation[judged.metric]:.6g}"))
        if report.ended:
            return Curve(params, config.seed, values)


def main() -> None:
    """Record the tasks that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", default=list(_TASKS))
    parser.add_argument("--trials", type=int, default=81)
    parser.add_argument("--replicates", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for task in options.tasks:
        path_of(task).parent.mkdir(exist_ok=True)
        record(task, options.trials, options.replicates, path_of(task))


if __name__ == "__main__":
    main()
