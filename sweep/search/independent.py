"""Random search, and what a sampler that lists nothing has in common with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.config.sampling import SamplerEntry, SamplerSection

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class RandomSearch:
    """Draws every parameter independently."""

    count: int | None = None
    startup: int = 0

    def listed(self, place: int) -> dict[str, Any]:
        """Nothing: every trial is drawn."""
        return {}

    def ask(self, seed: int) -> BaseSampler:
        """Return Optuna's random sampler."""
        from optuna.samplers import RandomSampler

        return RandomSampler(seed=seed)


RANDOM = SamplerEntry(SamplerSection, lambda section, space, seed: RandomSearch())
