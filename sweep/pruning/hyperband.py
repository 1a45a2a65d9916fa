"""Hyperband: successive halving that begins some trials' rungs later."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import Field

from sweep.config.pruning import PruningRule, PruningSection
from sweep.config.section import PositiveInt
from sweep.pruning.halving import ReductionFactor, geometric_rungs, passing

_GOLDEN = (math.sqrt(5) - 1) / 2


class HyperbandSection(PruningSection):
    """The rule's keys."""

    min_epochs: PositiveInt | None = Field(
        None, description="the first rung of the first bracket; null: 1"
    )
    reduction_factor: ReductionFactor = 3


@dataclass(frozen=True)
class HyperbandRule:
    """Successive halving with several first rungs (Li et al. 2018, algorithm 1), asynchronous.

    Bracket s has its first rung at `min_epochs * reduction_factor**s`. Brackets share the trials
    so that each costs about the same: s gets a share of reduction_factor**-s * (levels in s),
    drawn in a fixed, evenly spread order.
    """

    min_epochs: int = 1
    reduction_factor: int = 3
    name: str = "hyperband"

    def rungs(self, max_epochs: int, index: int) -> tuple[int, ...]:
        """Return the rungs of the trial's bracket."""
        every = geometric_rungs(self.min_epochs, self.reduction_factor, max_epochs)
        return every[self.bracket(max_epochs, index) :]

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return s: 0 is the one that stops the most; the last lets every trial run to its end."""
        count = len(geometric_rungs(self.min_epochs, self.reduction_factor, max_epochs)) + 1
        # n_s of algorithm 1, as a share: (s_max + 1) / (s + 1) * eta^s with its s counted down.
        shares = [self.reduction_factor**-s / (count - s) for s in range(count)]
        place = ((index + 1) * _GOLDEN) % 1.0 * sum(shares)
        for bracket, share in enumerate(shares):
            place -= share
            if place < 0:
                return bracket
        return count - 1

    def keeps(self, reached: int) -> int:
        """Return one in `reduction_factor`, rounded down."""
        return reached // self.reduction_factor

    def most_kept(self, max_epochs: int, index: int, epoch: int, trials: int) -> int:
        """Return the share of the sweep's trials that may pass all rungs up to this one."""
        return passing(self.rungs(max_epochs, index), self.reduction_factor, epoch, trials)


HYPERBAND = PruningRule(
    HyperbandSection,
    lambda section, sign: HyperbandRule(section.min_epochs or 1, section.reduction_factor),
)
