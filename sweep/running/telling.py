"""What the search is told about trials, and when: pure.

A trial has a first outcome (it ended, or a rung paused it) and, if it was promoted after that and
completed, a second one. In reproducible order an ask knows exactly the outcomes that the trials
and cohorts up to its look-ahead have had, whatever else has happened by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sweep.history.state import Standing, SweepState, TrialState
from sweep.log.event import Event
from sweep.log.kinds import Paused
from sweep.pruning.verdicts import generation_of
from sweep.running.scheduler import Scheduling, known_generation


class TrialOutcome(NamedTuple):
    """Something to tell: of trial `number`, its first outcome or the one after its promotion."""

    number: int
    again: bool = False


def outcomes(trial: TrialState) -> Iterator[TrialOutcome]:
    """Yield what there is to tell of a trial now; audits and replicates are not the search's."""
    if trial.of is not None:
        return
    if trial.ended or trial.first_pause is not None:
        yield TrialOutcome(trial.number)
    if trial.first_pause is not None and trial.state is Standing.COMPLETE:
        yield TrialOutcome(trial.number, again=True)


def news(event: Event, trial: TrialState) -> set[TrialOutcome]:
    """Return what an event, already applied to its trial, adds to what there is to tell."""
    if trial.of is not None:
        return set()
    if isinstance(event.what, Paused):
        return {TrialOutcome(trial.number)} if trial.generation is None else set()
    if trial.first_pause is None:
        return {TrialOutcome(trial.number)}
    return {TrialOutcome(trial.number, again=True)} if trial.state is Standing.COMPLETE else set()


def due(
    state: SweepState, rules: Scheduling, index: int, untold: Iterable[TrialOutcome]
) -> list[TrialOutcome]:
    """Return what must be told before the `index`-th trial is asked for, in order."""
    if rules.order == "free":
        return sorted(untold)
    return sorted(o for o in untold if _known(state.trials[o.number], o, rules, index))


def _known(trial: TrialState, outcome: TrialOutcome, rules: Scheduling, index: int) -> bool:
    if outcome.again:
        return generation_of(trial, rules.cohort) <= known_generation(index, rules)
    return trial.index <= index - rules.look_ahead
