"""Who is brought to its end when the search is over, so that there are finalists enough: pure.

A rule that pauses or stops trials leaves few complete ones. Of the others the best by validation go
on, those that are paused before those that were stopped, since a paused trial has a checkpoint;
they meet no rung any more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sweep.history.goal import Goal, ranked
from sweep.history.state import Standing, SweepState, TrialState
from sweep.pruning.verdicts import Decision, Verdict


@dataclass(frozen=True)
class Finals:
    """How many complete trials there shall be, and what ranks them."""

    count: int
    goal: Goal

    def missing(self, state: SweepState) -> int:
        """Return how many finalists are missing that could be brought to their end."""
        short = max(self.count - len(ranked(state.trials.values(), self.goal)), 0)
        return min(short, len(self.candidates(state))) if short else 0

    def candidates(self, state: SweepState) -> list[TrialState]:
        """Return the paused and pruned trials that keep the constraints, those to recall first.

        One whose audit is complete is left out: the two are the same.
        """
        audited = {t.of for t in state.trials.values() if t.source == "audit" and t.ended}
        stopped = (Standing.PAUSED, Standing.PRUNED)
        found = [
            trial
            for trial in state.trials.values()
            if trial.state in stopped
            and trial.number not in audited
            and math.isfinite(self.goal.cost(trial))
        ]
        return sorted(
            found, key=lambda t: (t.state is Standing.PRUNED, self.goal.cost(t), t.number)
        )

    def verdicts(self, state: SweepState) -> list[Verdict]:
        """Return whom to recall when no trial runs and none will come."""
        generation = max((t.index for t in state.trials.values()), default=0)
        chosen = self.candidates(state)[: self.missing(state)]
        return [Verdict(t.number, t.epoch, Decision.RECALL, generation) for t in chosen]
