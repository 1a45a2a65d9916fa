"""What a rung decides: pure, and of all trials that stand there as one set.

A rung is an epoch at which trials wait for a decision. A trial is judged by its best value so
far, since the best epoch's weights are the ones kept. Permuting the trials of a round changes
nothing: rules see sets of values and never their order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from sweep.config.pruning import RULES, PruningSection
from sweep.errors import ConfigProblem
from sweep.history.rungs import RungRecord, value_at
from sweep.history.state import Standing, SweepState, TrialState


class Rule(Protocol):
    """What every pruning rule says."""

    @property
    def name(self) -> str:
        """Return the rule's name in a sweep file."""
        ...

    def rungs(self, max_epochs: int, index: int) -> tuple[int, ...]:
        """Return the epochs at which the `index`-th trial, of `max_epochs`, waits."""
        ...

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return which trials a trial is judged against: those of the same bracket."""
        ...


@dataclass(frozen=True)
class Rung:
    """What a stopping rule may know. Values are to be minimised (the caller flips others' sign).

    Attributes:
        candidates: Best value so far by trial, of all trials that wait at the rung.
        complete: Best values up to this epoch of trials that ran to their end.
        trials: All trials of the sweep, for rules that look at whole curves.
    """

    epoch: int
    candidates: Mapping[int, float]
    complete: Sequence[float] = ()
    trials: Mapping[int, TrialState] = field(default_factory=dict)


@runtime_checkable
class StoppingRule(Rule, Protocol):
    """A rule that ends a trial for good."""

    def kept(self, rung: Rung) -> set[int]:
        """Return the candidates that go on."""
        ...


@runtime_checkable
class PausingRule(Rule, Protocol):
    """A rule that ranks all who have reached a rung; whoever falls behind waits for a promotion."""

    def keeps(self, reached: int) -> int:
        """Return how many of `reached` trials may go on: the best of them, ties together."""
        ...

    def most_kept(self, max_epochs: int, index: int, epoch: int, trials: int) -> int:
        """Return how many a rung can let go on in a sweep of `trials` trials, ties left out."""
        ...


def rule_of(section: PruningSection, sign: float) -> StoppingRule | PausingRule:
    """Return the rule that a sweep file names; `sign` is -1 where more is better.

    Raises:
        ConfigProblem: the rule does not take these keys, or is none.
    """
    rule = RULES[section.rule].build(section, sign)
    if not isinstance(rule, StoppingRule | PausingRule):
        raise ConfigProblem(
            "a pruning rule must be a StoppingRule or a PausingRule (sweep.pruning.verdicts), but "
            f"search.pruning.rule={section.rule} builds a {type(rule).__name__}."
        )
    return rule


class Decision(StrEnum):
    """What becomes of a trial."""

    GO = "go"
    PAUSE = "pause"
    STOP = "stop"
    PROMOTE = "promote"
    RECALL = "recall"


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
        return self.decision in (Decision.GO, Decision.PROMOTE, Decision.RECALL)


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
    """Return a trial's rungs; what repeats another, or was recalled, runs to its end."""
    to_its_end = trial.of is not None or trial.recalled > 0
    return () if to_its_end else rule.rungs(trial.max_epochs, trial.index)


def waits_at(trial: TrialState, rungs: Sequence[int]) -> bool:
    """Return whether the trial stands at a rung that is not decided yet."""
    running = trial.state is Standing.RUNNING
    return running and trial.epoch > trial.cleared and trial.epoch in rungs


def judge(
    state: SweepState,
    rule: Rule,
    waiting: Sequence[int],
    horizon: Horizon,
    target: int,
    finalists: int = 0,
) -> list[Verdict]:
    """Judge trials that wait at one rung as one set, and whom their arrival promotes.

    Args:
        waiting: Numbers of the trials; all of them stand at the same epoch, in one bracket.
        horizon: What may be looked at.
        target: Trials of the whole sweep: who can't be promoted by then is not kept waiting.
        finalists: How many of the best shall be complete at last: so many are not stopped for good.
    """
    example = state.trials[waiting[0]]
    epoch = example.epoch
    candidates = {n: state.trials[n].best_at(epoch, state.sign) for n in waiting}
    record = state.rungs.get((example.bracket, epoch)) or RungRecord()
    if isinstance(rule, PausingRule):
        most = rule.most_kept(example.max_epochs, example.index, epoch, target)
        most = max(most, finalists, 1)
        found = _ranked(state, rule, record, candidates, horizon, most)
    else:
        assert isinstance(rule, StoppingRule)
        ends = (v for n, v in record.values.items() if horizon.sees_end(state.trials[n]))
        kept = rule.kept(Rung(epoch, candidates, list(ends), state.trials))
        found = {n: Decision.GO if n in kept else Decision.STOP for n in candidates}
    generation = horizon.generation or 0
    return [Verdict(n, epoch, decision, generation) for n, decision in sorted(found.items())]


def _ranked(
    state: SweepState,
    rule: PausingRule,
    record: RungRecord,
    candidates: Mapping[int, float],
    horizon: Horizon,
    most: int,
) -> dict[int, Decision]:
    """Rank candidates among all who were here before; whom this promotes, and whom it ends."""
    ordered = record.ordered()
    if horizon.generation is not None:
        ordered = [entry for entry in ordered if horizon.sees(state.trials[entry[1]])]
    reached = len(ordered) + len(candidates)

    def value_of_rank(rank: int) -> float:
        return value_at(ordered, candidates.values(), rank) if rank else -math.inf

    cut = value_of_rank(rule.keeps(reached))
    # Whoever is behind this one can't be promoted or recalled, whatever may still come.
    last_hope = value_of_rank(most) if reached > most else math.inf
    found = {}
    for number, value in candidates.items():
        if value <= cut and math.isfinite(value):
            found[number] = Decision.GO
        else:
            found[number] = Decision.STOP if value > last_hope else Decision.PAUSE
    for value, number in record.paused_up_to(cut):
        if math.isfinite(value) and horizon.sees(state.trials[number]):
            found[number] = Decision.PROMOTE
    for _, number in record.paused_beyond(max(cut, last_hope)):
        if horizon.sees(state.trials[number]):
            found[number] = Decision.STOP
    return found


def closing_verdicts(state: SweepState, recalls: Sequence[Verdict] = ()) -> list[Verdict]:
    """Judge paused trials when no trial runs and none will come.

    A rung that has let nobody go on sends its best on, so that something is trained to its end;
    when there is no such rung, finalists that are missing are recalled; then the paused trials are
    over.
    """
    verdicts = []
    generation = max((t.index for t in state.trials.values()), default=0)
    for (_, epoch), record in sorted(state.rungs.items()):
        if not record.paused or any(state.trials[n].cleared >= epoch for n in record.values):
            continue
        _, best = record.paused[0]
        verdicts.append(Verdict(best, epoch, Decision.PROMOTE, generation))
    if verdicts or recalls:
        return verdicts or list(recalls)
    return [Verdict(n, t.epoch, Decision.STOP) for n, t in sorted(state.paused.items())]
