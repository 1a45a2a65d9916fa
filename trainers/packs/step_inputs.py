"""The integers and numbers that a resident program's step reads, laid out on the host."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainers.config.train_config import Structure, TrainConfig
from trainers.learning import optim
from trainers.learning.trial import Trial
from trainers.network.dropout import DropoutKey, drop_below, scale_of, words
from trainers.network.masks import Array
from trainers.network.regularisation import strengths
from trainers.network.sites import sites_of
from trainers.packs.program import NUMBERS, Signature

_NEUTRAL = {"clip_norm": np.inf, "clip_value": np.inf, "kept": 1.0, "along_velocity": 1.0}


def signature_with(
    known: Signature, configs: Sequence[TrainConfig], structure: Structure
) -> Signature:
    """Return what a program needs for these trials, beside what it can do already."""
    names, sites, possible = set(known.names), set(known.sites), sites_of(structure)
    for config in configs:
        names |= _numbers([config], [0], [0.0]).keys()
        key = DropoutKey(config, 0)
        sites |= {site for site in possible if key.rate(site)}
    return Signature(tuple(sorted(names)), tuple(sorted(sites)))


class StepInputs:
    """What one step of all slots reads; slots that take no part stay neutral.

    Attributes:
        integers: `(slots, …)` int64, as `trainers.packs.program.Program.step` takes them.
        floats: `(names + 2 · sites, slots)` float64.
    """

    def __init__(self, signature: Signature, slots: int, batch_size: int) -> None:
        names, sites = signature
        self._signature, self._first_site = signature, NUMBERS + batch_size
        self.integers = np.zeros((slots, self._first_site + 3 * len(sites)), dtype=np.int64)
        self.floats = np.zeros((len(names) + 2 * len(sites), slots))
        for i, name in enumerate(names):
            self.floats[i] = _NEUTRAL.get(name, 0.0)
        self.floats[len(names) + 1 :: 2] = 1.0

    def put_rows(self, slot: int, trial: Trial, rows: Array, length: int) -> None:
        """Say which rows of the part the trial's batch has, and where its segment begins."""
        segment = trial.counters.segment
        self.integers[slot, :NUMBERS] = segment * length, len(rows), segment == 0, 1
        self.integers[slot, NUMBERS : NUMBERS + len(rows)] = rows

    def put_numbers(self, trials: dict[int, Trial], scored: Sequence[bool]) -> None:
        """Say what the trials' optimizers and regularisation use; note the learning rates.

        `scored` says which trials make an optimizer step.
        """
        at, steps, rates = list(trials), [], []
        for trial, steps_now in zip(trials.values(), scored, strict=True):
            rates.append(trial.learning_rate())
            steps.append(trial.counters.optimizer_steps)
            if steps_now:
                trial.counters.learning_rate = rates[-1]
        configs = [trial.config for trial in trials.values()]
        for name, values in _numbers(configs, steps, rates).items():
            self.floats[self._signature.names.index(name), at] = values

    def put_dropout(self, trials: dict[int, Trial]) -> None:
        """Say where the trials drop, and what their draws are counted from."""
        names, sites = self._signature
        if not sites:
            return
        at, keys = list(trials), [trial.dropout_key() for trial in trials.values()]
        low, high = words(keys, sites)
        for i, site in enumerate(sites):
            rates = np.array([key.rate(site) for key in keys])
            if not rates.any():
                continue
            columns = slice(self._first_site + 3 * i, self._first_site + 3 * i + 3)
            below = [drop_below(rate) for rate in rates]
            self.integers[at, columns] = np.stack([low[:, i], high[:, i], below], axis=1)
            self.floats[len(names) + 2 * i, at] = rates
            self.floats[len(names) + 2 * i + 1, at] = [scale_of(rate) for rate in rates]


def _numbers(
    configs: Sequence[TrainConfig], steps: list[int], rates: list[float]
) -> dict[str, list[float]]:
    """Return the numbers of a step by name, one per trial."""
    return (
        optim.coefficients(configs, steps, rates) | optim.clip_limits(configs) | strengths(configs)
    )
