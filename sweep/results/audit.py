"""What pruning cost: pruned trials that were run to their end all the same. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sweep.history.goal import ranked, searched
from sweep.history.state import Standing, TrialState
from sweep.results.results import Results
from sweep.words.console import short


@dataclass(frozen=True)
class AuditedTrial:
    """One pruned trial and its repetition without pruning.

    Attributes:
        pruned: The trial that pruning stopped.
        repetition: The same settings and seed, to the end.
        at_rung: The leading metric when it was stopped, its best so far.
        at_end: The leading metric that it would have reached.
        rank: The place that it would have had among the sweep's complete trials, from 1.
    """

    pruned: TrialState
    repetition: TrialState
    at_rung: float
    at_end: float
    rank: int


@dataclass(frozen=True)
class Audit:
    """All audited trials, the best at the end first.

    Attributes:
        regret: By how much the best audited trial would have beaten the best one that pruning let
            run; 0 where none would.
    """

    metric: str
    trials: tuple[AuditedTrial, ...]
    pruned: int
    best: float
    regret: float

    @property
    def verdict(self) -> str:
        """Say in one line what pruning cost."""
        count = len(self.trials)
        checked = f"{count} of {self.pruned} pruned trials were run to their end"
        first = self.trials[0]
        if self.regret > 0:
            return (
                f"Pruning cost {short(self.regret)} of {self.metric}: {checked}, and trial "
                f"{first.pruned.number} would have come to {short(first.at_end)}, against "
                f"{short(self.best)} of the best trial."
            )
        return (
            f"Pruning cost nothing that the audit could find: {checked}, and the best of them came "
            f"to {self.metric} {short(first.at_end)} (place {first.rank}), against "
            f"{short(self.best)} of the best trial."
        )


def audit(results: Results) -> Audit | None:
    """Return what the audit found; None where nothing was audited, or none is complete."""
    goal, trials = results.goal, searched(results.trials)
    metric, sign = goal.leading.metric, goal.leading.sign
    survivors = ranked([t for t in trials if t.source != "audit"], goal)
    costs = [goal.leading_cost(trial) for trial in survivors]
    audited = [
        _audited(results, trial, costs)
        for trial in trials
        if trial.source == "audit"
        and trial.state is Standing.COMPLETE
        and metric in trial.best
        and trial.of in results.state.trials
    ]
    if not audited or not survivors:
        return None
    audited.sort(key=lambda one: (sign * one.at_end, one.pruned.number))
    pruned = sum(t.state is Standing.PRUNED for t in trials)
    regret = max(0.0, costs[0] - sign * audited[0].at_end)
    return Audit(metric, tuple(audited), pruned, sign * costs[0], regret)


def _audited(results: Results, trial: TrialState, costs: Sequence[float]) -> AuditedTrial:
    assert trial.of is not None
    pruned = results.state.trials[trial.of]
    leading = results.goal.leading
    at_end, at_rung = trial.best[leading.metric], pruned.best.get(leading.metric, math.nan)
    rank = 1 + sum(cost < leading.cost(at_end) for cost in costs)
    return AuditedTrial(pruned, trial, at_rung, at_end, rank)
