"""The pruning rules of our own: none, median, successive halving, Hyperband."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from sweep.pruning.verdicts import Rung

_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class NoPruning:
    """Every trial runs to its end."""

    name: str = "none"

    def rungs(self, max_epochs: int, index: int) -> tuple[int, ...]:
        """Return no epoch at all."""
        return ()

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return the one bracket."""
        return 0

    def kept(self, rung: Rung) -> set[int]:
        """Keep everybody."""
        return set(rung.candidates)


@dataclass(frozen=True)
class MedianRule:
    """Stop a trial whose best value is worse than the complete trials' median at its epoch.

    The median stopping rule of Vizier (Golovin et al. 2017, section 3.2.2), on best values.
    """

    min_epochs: int = 1
    interval_epochs: int = 1
    startup_trials: int = 5
    name: str = "median"

    def rungs(self, max_epochs: int, index: int) -> tuple[int, ...]:
        """Return every `interval_epochs`-th epoch from `min_epochs` on, the last excepted."""
        return tuple(range(self.min_epochs, max_epochs, self.interval_epochs))

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return the one bracket."""
        return 0

    def kept(self, rung: Rung) -> set[int]:
        """Keep those at the median or below, and all until `startup_trials` are complete."""
        if len(rung.complete) < self.startup_trials:
            return set(rung.candidates)
        median = statistics.median(rung.complete)
        return {trial for trial, value in rung.candidates.items() if value <= median}


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
        return _geometric(first, self.reduction_factor, max_epochs)

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return the one bracket."""
        return 0

    def keeps(self, reached: int) -> int:
        """Return one in `reduction_factor`, rounded down."""
        return reached // self.reduction_factor

    def most_kept(self, max_epochs: int, index: int, epoch: int, trials: int) -> int:
        """Return the share of the sweep's trials that may pass all rungs up to this one."""
        passed = sum(rung <= epoch for rung in self.rungs(max_epochs, index))
        return int(trials // self.reduction_factor**passed)


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
        every = _geometric(self.min_epochs, self.reduction_factor, max_epochs)
        return every[self.bracket(max_epochs, index) :]

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return s: 0 is the one that stops the most; the last lets every trial run to its end."""
        count = len(_geometric(self.min_epochs, self.reduction_factor, max_epochs)) + 1
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
        passed = sum(rung <= epoch for rung in self.rungs(max_epochs, index))
        return int(trials // self.reduction_factor**passed)


def _geometric(first: int, factor: int, below: int) -> tuple[int, ...]:
    rungs = []
    epoch = first
    while epoch < below:
        rungs.append(epoch)
        epoch *= factor
    return tuple(rungs)
