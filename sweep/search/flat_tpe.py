"""Optuna's multivariate TPE, over a space that is known beforehand or is not."""

from __future__ import annotations

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler

from sweep.search.experimental import experimental


def flat_tpe(space: dict[str, BaseDistribution], startup: int, seed: int) -> BaseSampler:
    """Return a TPE sampler of a space that every trial shares."""
    with experimental():
        return _FlatTPE(space, startup, seed)


def conditional_tpe(startup: int, seed: int) -> BaseSampler:
    """Return a TPE sampler of what trials turn out to have in common, group by group."""
    with experimental():
        return TPESampler(n_startup_trials=startup, seed=seed, multivariate=True, group=True)


class _FlatTPE(TPESampler):
    """Multivariate TPE over a space that every trial shares.

    Optuna looks through all trials for what they have in common; a sampler made anew for each ask
    would do so from the beginning. We know the answer.
    """

    def __init__(self, space: dict[str, BaseDistribution], startup: int, seed: int) -> None:
        super().__init__(n_startup_trials=startup, seed=seed, multivariate=True)
        self._space = {name: d for name, d in space.items() if not d.single()}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space
