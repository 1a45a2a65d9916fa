"""What a rung decides: pure, and of all trials that stand there as one set.

A rung is an epoch at which trials wait for a decision. A trial is judged by its best value so
far, since the best epoch's weights are the ones kept. Permuting the trials of a round changes
nothing: rules see sets of values and never their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from sweep.state import Standing, SweepState, TrialState


@dataclass(frozen=True)
class Rung:
    """What a rule may know. Values are to be minimised (the caller flips the sign of others).

    Attributes:
        candidates: Best value so far by trial, of all trials that wait at the rung.
        members: The same of all trials that have reached it, the candidates included.
        complete: Best values up to this epoch of trials that ran to their end.
        trials: All trials of the sweep, for rules that look at whole curves.
    """

    epoch: int
    candidates: Mapping[int, float]
    members: Mapping[int, float]
    complete: Sequence[float] = ()
    trials: Mapping[int, TrialState] = field(default_factory=dict)


class Rule(Protocol):
    """A pruning rule."""

    @property
    def name(self) -> str:
        """Return the rule's name in a sweep file."""
        ...

    @property
    def pauses(self) -> bool:
        """Whether a trial that may not go on is paused, so that it can be promoted later."""
        ...

    def rungs(self, max_epochs: int, index: int) -> tuple[int, ...]:
        """Return the epochs at which the `index`-th trial, of `max_epochs`, waits."""
        ...

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return which trials a trial is judged against: those of the same bracket."""
        ...

    def kept(self, rung: Rung) -> set[int]:
        """Return the members that may go on; of a pausing rule, the paused ones included."""
        ...

    def most_kept(self, max_epochs: int, index: int, epoch: int, trials: int) -> int:
        """Return how many a rung can let go on in a sweep of `trials` trials, ties left out."""
        ...


class Decision(StrEnum):
    """What becomes of a trial."""

    GO = "go"
    PAUSE = "pause"
    STOP = "stop"
    PROMOTE = "promote"


@dataclass(frozen=True)
class Verdict:
    """What a rung decided for one trial.

    Attributes:
        generation: In reproducible order, the cohort whose judgement this was.
    """

    trial: int
    epoch: int
    decision: Decision
    generation: int = 0

    @property
    def goes_on(self) -> bool:
        """Whether the trial trains on, now or when a worker is free."""
        return self.decision in (Decision.GO, Decision.PROMOTE)


@dataclass(frozen=True)
class Horizon:
    """Which trials a judgement may look at, so that it does not depend on timing; None is all.

    Attributes:
        generation: Trials that were sent on by cohorts up to this one, and first arrivals of them.
        cohort: Trials in a cohort, by which a first arrival's generation is known.
        complete: Trials whose index is below this count as complete, if they are.
    """

    generation: int | None = None
    cohort: int = 1
    complete: int | None = None

    def sees(self, trial: TrialState) -> bool:
        """Whether a member of a rung is looked at."""
        return self.generation is None or generation_of(trial, self.cohort) <= self.generation

    def sees_end(self, trial: TrialState) -> bool:
        """Whether it is known that the trial is complete."""
        known = self.complete is None or trial.index < self.complete
        return known and trial.state is Standing.COMPLETE


def generation_of(trial: TrialState, cohort: int) -> int:
    """Return the cohort whose judgement sent the trial where it is; at first, its own."""
    return trial.index // cohort if trial.generation is None else trial.generation


def rungs_of(rule: Rule, trial: TrialState) -> tuple[int, ...]:
    """Return a trial's rungs; what only repeats another trial runs to its end."""
    return () if trial.of is not None else rule.rungs(trial.max_epochs, trial.index)


def bracket_of(rule: Rule, trial: TrialState) -> int:
    """Return the bracket of a trial that the search has asked for."""
    return rule.bracket(trial.max_epochs, trial.index)


def waits_at(trial: TrialState, rungs: Sequence[int]) -> bool:
    """Return whether the trial stands at a rung that is not decided yet."""
    running = trial.state is Standing.RUNNING
    return running and trial.epoch > trial.cleared and trial.epoch in rungs


def judge(
    state: SweepState, rule: Rule, waiting: Sequence[int], horizon: Horizon, target: int
) -> list[Verdict]:
    """Judge trials that wait at one rung as one set, and whom their arrival promotes.

    Args:
        waiting: Numbers of the trials; all of them stand at the same epoch, in one bracket.
        horizon: What may be looked at.
        target: Trials of the whole sweep: who can't be promoted by then is not kept waiting.
    """
    example = state.trials[waiting[0]]
    rung = _rung(state, rule, example, horizon, waiting)
    kept = rule.kept(rung)
    generation = horizon.generation or 0
    verdicts = []
    lost: set[int] = set()
    if rule.pauses:
        most = rule.most_kept(example.max_epochs, example.index, rung.epoch, target)
        lost = _hopeless(rung.members, most)
    for number in sorted(rung.members):
        waits = number in rung.candidates
        if not waits and not _paused_at(state, number, rung.epoch):
            continue
        if number in kept:
            decision = Decision.GO if waits else Decision.PROMOTE
        elif number in lost or not rule.pauses:
            decision = Decision.STOP
        elif waits:
            decision = Decision.PAUSE
        else:
            continue
        verdicts.append(Verdict(number, rung.epoch, decision, generation))
    return verdicts


def closing_verdicts(state: SweepState, rule: Rule) -> list[Verdict]:
    """Judge paused trials when no trial runs and none will come.

    A rung that has let nobody go on sends its best on, so that something is trained to its end;
    when there is no such rung, the paused trials are over.
    """
    groups: dict[tuple[int, int], list[TrialState]] = {}
    for trial in state.paused.values():
        groups.setdefault((bracket_of(rule, trial), trial.epoch), []).append(trial)
    verdicts = []
    for (bracket, epoch), paused in sorted(groups.items()):
        members = (state.trials[n] for n in state.rungs[epoch])
        if any(t.cleared >= epoch and bracket_of(rule, t) == bracket for t in members):
            continue
        best = min(paused, key=lambda t: (state.rungs[epoch][t.number], t.number))
        generation = max(t.index for t in state.trials.values())
        verdicts.append(Verdict(best.number, epoch, Decision.PROMOTE, generation))
    if verdicts:
        return verdicts
    return [Verdict(n, t.epoch, Decision.STOP) for n, t in sorted(state.paused.items())]


def _rung(
    state: SweepState, rule: Rule, example: TrialState, horizon: Horizon, waiting: Sequence[int]
) -> Rung:
    epoch, bracket = example.epoch, bracket_of(rule, example)
    candidates = {n: state.trials[n].best_at(epoch, state.sign) for n in waiting}
    members, complete = dict(candidates), []
    for number, value in state.rungs.get(epoch, {}).items():
        trial = state.trials[number]
        if trial.of is not None or bracket_of(rule, trial) != bracket:
            continue
        if horizon.sees(trial):
            members[number] = value
        if horizon.sees_end(trial):
            complete.append(value)
    return Rung(epoch, candidates, members, complete, state.trials)


def _hopeless(members: Mapping[int, float], most: int) -> set[int]:
    """Return those that a rung can't let go on, whoever may still come."""
    most = max(most, 1)
    if len(members) <= most:
        return set()
    cut = sorted(members.values())[most - 1]
    return {number for number, value in members.items() if value > cut}


def _paused_at(state: SweepState, number: int, epoch: int) -> bool:
    trial = state.paused.get(number)
    return trial is not None and trial.epoch == epoch
