"""Quasi-random search: a scrambled Sobol sequence over a flat space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.config.sampling import SamplerEntry, SamplerSection
from sweep.search.independent import RandomSearch

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from search_spaces.space import Space


class QuasiRandom:
    """A sequence of points; where the space is conditional, each trial is drawn at random."""

    count = None
    startup = 0

    def __init__(self, space: Space, seed: int) -> None:
        """Begin the sequence."""
        import optuna
        from optuna.samplers import QMCSampler

        from sweep.search.experimental import experimental

        self._space = space
        self._anchor = optuna.trial.create_trial(value=0.0)
        self._study = optuna.create_study()
        with experimental():
            self._sequence = QMCSampler(scramble=True, seed=seed)

    def listed(self, place: int) -> dict[str, Any]:
        """Return the next point, and move the sequence on."""
        space = self._space.distributions()
        return self._sequence.sample_relative(self._study, self._anchor, space)

    def ask(self, seed: int) -> BaseSampler:
        """Return what draws a trial of a conditional space."""
        return RandomSearch().ask(seed)


QMC = SamplerEntry(SamplerSection, lambda section, space, seed: QuasiRandom(space, seed))
