"""Trials one by one: on a CPU bit-equal to the trial alone, whatever its neighbours."""

from __future__ import annotations

import time

from trainers.learning.training import train_segment
from trainers.network.dropout import evaluation_keys
from trainers.network.model import Model
from trainers.packs.cursor import host_cursor
from trainers.packs.evaluation import evaluate
from trainers.packs.parts import Parts
from trainers.packs.stepper import Trials, timed


class Alone:
    """Trains one trial at a time, on torch's kernels for one.

    Args:
        model: What the trials have in common.
        parts: What they learn from.
    """

    def __init__(self, model: Model, parts: Parts) -> None:
        self._model, self._parts = model, parts

    def advance(self, trials: Trials, seconds: float | None) -> list[int]:
        """Train the trial that is farthest behind, so that trials of a pack advance together."""
        slot = min(trials, key=lambda s: (trials[s].counters.epoch, s))
        trial, began = trials[slot], time.perf_counter()
        with timed([trial]):
            cursor = host_cursor(trial, self._parts.part("train"), self._model.structure)
            while not cursor.ended():
                source, walk = cursor.batch
                train_segment(self._model, trial, source, walk, self._parts.data.input_size)
                late = seconds is not None and time.perf_counter() - began >= seconds
                if late and not trial.diverged:
                    return []
        return [slot]

    def validate(self, trials: Trials) -> dict[int, dict[str, float]]:
        """Return each trial's metrics, one pass for each."""
        return {
            slot: evaluate(
                self._model, trial.newest, self._parts, "validation", evaluation_keys(trial.config)
            )
            for slot, trial in trials.items()
        }
