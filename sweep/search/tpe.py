"""The tree-structured Parzen estimator, all parameters modelled jointly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from sweep.config.sampling import SamplerEntry, SamplerSection

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

    from search_spaces.space import Space


class LearningSection(SamplerSection):
    """The keys of a sampler that learns from trials."""

    startup_trials: Annotated[int, Field(ge=0)] = Field(
        10, description="trials that are drawn at random before it learns"
    )


@dataclass(frozen=True)
class ParzenEstimator:
    """Optuna's multivariate TPE.

    Attributes:
        flat: The distributions that every trial shares; None for a conditional space.
        startup: Trials that are drawn at random first.
    """

    flat: dict[str, BaseDistribution] | None
    startup: int
    count: int | None = None

    def listed(self, place: int) -> dict[str, Any]:
        """Nothing: every trial is drawn."""
        return {}

    def ask(self, seed: int) -> BaseSampler:
        """Return a TPE sampler."""
        from sweep.search.flat_tpe import (  # Optuna: not for reading a file
            conditional_tpe,
            flat_tpe,
        )

        if self.flat is None:
            return conditional_tpe(self.startup, seed)
        return flat_tpe(self.flat, self.startup, seed)


def _build(section: LearningSection, space: Space, seed: int) -> ParzenEstimator:
    from search_spaces.space import SearchSpace

    flat = space.distributions() if isinstance(space, SearchSpace) else None
    return ParzenEstimator(flat, section.startup_trials)


TPE = SamplerEntry(LearningSection, _build)
