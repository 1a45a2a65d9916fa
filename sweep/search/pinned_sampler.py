"""Asking within a structure: what a pack's trials have in common is fixed, the rest is drawn.

Optuna's `PartialFixedSampler` drops a pinned dimension and then proposes other structures' optima,
since it looks at all trials. Here the sampler sees a view of the study.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler


class _View:
    """A study of which only the trials with some parameters are seen."""

    def __init__(self, study: optuna.Study, pin: Mapping[str, Any]) -> None:
        self._study, self._pin = study, pin

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def get_trials(self, *args: Any, **options: Any) -> list[optuna.trial.FrozenTrial]:
        return self._seen(self._study.get_trials(*args, **options))

    def _get_trials(self, *args: Any, **options: Any) -> list[optuna.trial.FrozenTrial]:
        return self._seen(self._study._get_trials(*args, **options))

    def _seen(self, trials: Iterable[optuna.trial.FrozenTrial]) -> list[optuna.trial.FrozenTrial]:
        missing = object()
        wanted = self._pin.items()
        return [t for t in trials if all(t.params.get(k, missing) == v for k, v in wanted)]


class PinnedSampler(BaseSampler):
    """A sampler for the dimensions that a pack leaves free, from its structure's trials alone.

    Trials of other structures have their optima elsewhere; until the sampler has seen enough of
    this structure (ten trials, for TPE and the Gaussian process) it draws at random.
    """

    def __init__(self, inner: BaseSampler, pin: Mapping[str, Any]) -> None:
        self._inner, self._pin = inner, dict(pin)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return what the inner sampler would draw jointly, the pinned dimensions left out."""
        seen = cast(optuna.Study, _View(study, self._pin))
        space = self._inner.infer_relative_search_space(seen, trial)
        return {name: d for name, d in space.items() if name not in self._pin}

    def sample_relative(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """Draw jointly, from the view."""
        seen = cast(optuna.Study, _View(study, self._pin))
        return self._inner.sample_relative(seen, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw one dimension, from the view."""
        seen = cast(optuna.Study, _View(study, self._pin))
        return self._inner.sample_independent(seen, trial, param_name, param_distribution)
