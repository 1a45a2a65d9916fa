"""Asynchronous successive halving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from sweep.config.pruning import PruningRule, PruningSection
from sweep.config.section import PositiveInt

ReductionFactor = Annotated[int, Field(ge=2, description="of so many trials at a rung one goes on")]


class HalvingSection(PruningSection):
    """The rule's keys."""

    min_epochs: PositiveInt | None = Field(
        None, description="the first rung; null: max_epochs / reduction_factor²"
    )
    reduction_factor: ReductionFactor = 3


@dataclass(frozen=True)
class HalvingRule:
    """Asynchronous successive halving (Li et al. 2020, algorithm 2), with promotion.

    `min_epochs` None begins at `max_epochs / reduction_factor**2`: on recorded curves that kept the
    winner at a third of the epochs, where earlier rungs judged by noise (tests/benchmarks).
    At rung `min_epochs * reduction_factor**i` a trial is paused unless it is among the best
    `1 / reduction_factor` of all that have reached the rung. As others arrive, a paused trial may
    come to be among them: then it goes on from its checkpoint.
    """

    min_epochs: int | None = None
    reduction_factor: int = 3
    name: str = "halving"

    def rungs(self, max_epochs: int, index: int) -> tuple[int, ...]:
        """Return the geometric rungs below `max_epochs`."""
        first = self.min_epochs or max(max_epochs // self.reduction_factor**2, 1)
        return geometric_rungs(first, self.reduction_factor, max_epochs)

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return the one bracket."""
        return 0

    def keeps(self, reached: int) -> int:
        """Return one in `reduction_factor`, rounded down."""
        return reached // self.reduction_factor

    def most_kept(self, max_epochs: int, index: int, epoch: int, trials: int) -> int:
        """Return the share of the sweep's trials that may pass all rungs up to this one."""
        return passing(self.rungs(max_epochs, index), self.reduction_factor, epoch, trials)


def geometric_rungs(first: int, factor: int, below: int) -> tuple[int, ...]:
    """Return `first`, `first * factor`, … as far as they lie below a bound."""
    rungs = []
    epoch = first
    while epoch < below:
        rungs.append(epoch)
        epoch *= factor
    return tuple(rungs)


def passing(rungs: Sequence[int], factor: int, epoch: int, trials: int) -> int:
    """Return how many of `trials` may pass all rungs up to `epoch`, where one in `factor` does."""
    passed = sum(rung <= epoch for rung in rungs)
    return int(trials // factor**passed)


HALVING = PruningRule(
    HalvingSection,
    lambda section, sign: HalvingRule(section.min_epochs, section.reduction_factor),
)
