"""Bayesian optimisation by a Gaussian process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.config.sampling import SamplerEntry
from sweep.search.tpe import LearningSection

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class GaussianProcess:
    """Optuna's GP sampler.

    Attributes:
        startup: Trials that are drawn at random first.
    """

    startup: int
    count: int | None = None

    def listed(self, place: int) -> dict[str, Any]:
        """Nothing: every trial is drawn."""
        return {}

    def ask(self, seed: int) -> BaseSampler:
        """Return a GP sampler."""
        from optuna.samplers import GPSampler

        from sweep.search.experimental import experimental

        with experimental():
            return GPSampler(seed=seed, n_startup_trials=self.startup)


GP = SamplerEntry(
    LearningSection, lambda section, space, seed: GaussianProcess(section.startup_trials)
)
