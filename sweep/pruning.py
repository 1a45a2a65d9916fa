"""Which trials stop at a rung: pure rules that judge all reports of a round as a set.

A rung is an epoch at which trials wait for a decision. A trial is judged by its best value so
far, since the best epoch's weights are the ones kept. Permuting the trials of a round changes
nothing: rules see sets of values and never their order.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sweep.state import Standing, SweepState, TrialState


class Rule(Protocol):
    """A pruning rule. Values are to be minimised (the caller flips the sign of others)."""

    @property
    def name(self) -> str:
        """Return the rule's name in a sweep file."""
        ...

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return the epochs at which a trial of `max_epochs` waits for a decision."""
        ...

    def stopped(
        self, candidates: Mapping[int, float], seen: Sequence[float], complete: Sequence[float]
    ) -> set[int]:
        """Return the trials to stop at one rung.

        Args:
            candidates: Best value so far by trial, of all trials that wait at the rung.
            seen: Values at this rung of the trials judged here before.
            complete: Best values up to this epoch of trials that ran to their end.
        """
        ...


@dataclass(frozen=True)
class NoPruning:
    """Every trial runs to its end."""

    name: str = "none"

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return no epoch at all."""
        return ()

    def stopped(
        self, candidates: Mapping[int, float], seen: Sequence[float], complete: Sequence[float]
    ) -> set[int]:
        """Stop nobody."""
        return set()


@dataclass(frozen=True)
class MedianRule:
    """Stop a trial whose best value is worse than the complete trials' median at its epoch.

    The median stopping rule of Vizier (Golovin et al. 2017, section 3.2.2), on best values.
    """

    min_epochs: int = 1
    interval_epochs: int = 1
    startup_trials: int = 5
    name: str = "median"

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return every `interval_epochs`-th epoch from `min_epochs` on, the last excepted."""
        return tuple(range(self.min_epochs, max_epochs, self.interval_epochs))

    def stopped(
        self, candidates: Mapping[int, float], seen: Sequence[float], complete: Sequence[float]
    ) -> set[int]:
        """Stop those above the median, once `startup_trials` trials are complete."""
        if len(complete) < self.startup_trials:
            return set()
        median = statistics.median(complete)
        return {trial for trial, value in candidates.items() if not value <= median}


@dataclass(frozen=True)
class HalvingRule:
    """Asynchronous successive halving (Li et al. 2020, algorithm 2), as a stopping rule.

    At rung `min_epochs * reduction_factor**i` a trial goes on when it is among the best
    `1 / reduction_factor` of all trials that have reached the rung, itself included.
    """

    min_epochs: int = 1
    reduction_factor: int = 3
    name: str = "halving"

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return the geometric rungs below `max_epochs`."""
        rungs = []
        epoch = self.min_epochs
        while epoch < max_epochs:
            rungs.append(epoch)
            epoch *= self.reduction_factor
        return tuple(rungs)

    def stopped(
        self, candidates: Mapping[int, float], seen: Sequence[float], complete: Sequence[float]
    ) -> set[int]:
        """Stop those outside the best fraction; ties at the cut go on together."""
        values = sorted([*seen, *candidates.values()])
        kept = math.ceil(len(values) / self.reduction_factor)
        cut = values[kept - 1]
        return {trial for trial, value in candidates.items() if not value <= cut}


@dataclass(frozen=True)
class Verdict:
    """What a rung decided for one trial."""

    trial: int
    epoch: int
    goes_on: bool


def waits_at(trial: TrialState, rungs: Sequence[int]) -> bool:
    """Return whether the trial stands at a rung that is not decided yet."""
    running = trial.state is Standing.RUNNING
    return running and trial.epoch > trial.cleared and trial.epoch in rungs


@dataclass(frozen=True)
class Horizon:
    """Which trials a judgement may look at, by number; None looks at all.

    Attributes:
        seen: Trials below this number count as having passed the rung before.
        complete: Trials below this number count as complete, if they are.
    """

    seen: int | None = None
    complete: int | None = None


def judge(state: SweepState, rule: Rule, waiting: Sequence[int], horizon: Horizon) -> list[Verdict]:
    """Judge trials that wait at one rung as one set.

    Args:
        waiting: Numbers of the trials; all of them stand at the same epoch.
        horizon: What may be looked at, so that a judgement does not depend on timing.
    """
    epoch = state.trials[waiting[0]].epoch
    candidates = {n: state.trials[n].best_at(epoch, state.sign) for n in waiting}
    rung = state.rungs.get(epoch, {})
    seen = [v for n, v in rung.items() if n not in candidates and _below(n, horizon.seen)]
    complete = [
        v
        for n, v in rung.items()
        if state.trials[n].state is Standing.COMPLETE and _below(n, horizon.complete)
    ]
    stopped = rule.stopped(candidates, seen, complete)
    return [Verdict(n, epoch, n not in stopped) for n in sorted(waiting)]


def _below(number: int, bound: int | None) -> bool:
    return bound is None or number < bound
