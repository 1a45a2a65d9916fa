"""Decides what happens next: a pure function of the folded log and of who holds which trial.

The coordinator carries the decisions out. Two orders are known. `free`: trials are asked as
workers become free and rungs are judged by whoever waits. `reproducible`: trial n is asked from
exactly the results of trials 0 … n - look_ahead, and rungs are judged in fixed cohorts of trial
numbers, so that every decision is a function of the sweep file alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sweep.pruning import Horizon, Rule, Verdict, judge, waits_at
from sweep.state import Standing, SweepState, TrialState

STANDBY_SECONDS = 2.0
MAX_DEATHS = 4  # in a row, of one trial, without progress: three may be chance


@dataclass(frozen=True)
class Scheduling:
    """The rules of one sweep's scheduling.

    Attributes:
        target: Trials to ask in all.
        look_ahead: In reproducible order, how many results an ask may miss (3 x workers).
        cohort: In reproducible order, how many trials a rung judges together.
    """

    order: Literal["free", "reproducible"]
    target: int
    rule: Rule
    look_ahead: int
    cohort: int


@dataclass(frozen=True)
class Plan:
    """What to do now.

    Attributes:
        verdicts: Decisions of rungs.
        assignments: (trial, worker) pairs.
        given_up: Trials whose worker died too often.
        ask: Whether to ask for the next trial.
        finished: Whether nothing is left to do.
    """

    verdicts: tuple[Verdict, ...] = ()
    assignments: tuple[tuple[int, str], ...] = ()
    given_up: tuple[int, ...] = ()
    ask: bool = False
    finished: bool = False


def plan(state: SweepState, fleet: Mapping[str, Sequence[int]], rules: Scheduling) -> Plan:
    """Decide what to do now.

    Args:
        fleet: Trials that each living worker holds and that have not ended.
    """
    verdicts = tuple(_verdicts(state, rules))
    if verdicts:
        return Plan(verdicts=verdicts)
    waiting = [t for t in state.active.values() if t.state is Standing.WAITING]
    given_up = tuple(t.number for t in waiting if t.deaths >= MAX_DEATHS)
    if given_up:
        return Plan(given_up=given_up)
    hungry = [
        worker
        for worker in sorted(fleet, key=lambda w: len(fleet[w]))
        if _wants_trial(state, fleet[worker], rules)
    ]
    queue = sorted(t.number for t in waiting)
    assignments = tuple(zip(queue, hungry, strict=False))
    more = len(hungry) > len(queue) and may_ask(state, rules)
    finished = not state.active and len(state.trials) >= rules.target
    return Plan(assignments=assignments, ask=more, finished=finished)


def may_ask(state: SweepState, rules: Scheduling) -> bool:
    """Return whether the next trial may be asked by the order's rules."""
    number = len(state.trials)
    if number >= rules.target:
        return False
    if rules.order == "free":
        return True
    oldest = min(state.active, default=number)
    return oldest > number - rules.look_ahead


def tellable(rules: Scheduling, number: int, untold: Iterable[int]) -> list[int]:
    """Return the trials that the search must be told before trial `number` is asked, in order.

    Args:
        untold: Trials that have ended and that the search does not know of yet.
    """
    if rules.order == "free":
        return sorted(untold)
    return sorted(n for n in untold if n <= number - rules.look_ahead)


def next_stop_seconds(trial: TrialState, rungs: Sequence[int]) -> float | None:
    """Return a lower bound on the seconds until the trial may end or wait; None when unknown."""
    if trial.epoch == 0 or not trial.config:
        return None
    ends: list[int] = [trial.config["max_epochs"], *(r for r in rungs if r > trial.epoch)]
    if trial.config.get("patience") is not None:
        ends.append(max(trial.best_epoch + trial.config["patience"], trial.epoch + 1))
    epochs = max(min(ends) - trial.epoch, 0)
    return epochs * trial.train_seconds / trial.epoch


def _wants_trial(state: SweepState, held: Sequence[int], rules: Scheduling) -> bool:
    """Return whether a worker has nothing to train, or soon may have nothing."""
    runnable = []
    for number in held:
        trial = state.trials[number]
        rungs = rules.rule.rungs(trial.config["max_epochs"])
        if not waits_at(trial, rungs):
            runnable.append((trial, rungs))
    if len(runnable) != 1:
        return not runnable
    seconds = next_stop_seconds(*runnable[0])
    return seconds is not None and seconds < STANDBY_SECONDS


def _verdicts(state: SweepState, rules: Scheduling) -> Iterator[Verdict]:
    at_rung: dict[tuple[int, int], list[int]] = defaultdict(list)
    for trial in state.active.values():
        if waits_at(trial, rules.rule.rungs(trial.config["max_epochs"])):
            cohort = trial.number // rules.cohort if rules.order == "reproducible" else 0
            at_rung[cohort, trial.epoch].append(trial.number)
    for (cohort, epoch), waiting in sorted(at_rung.items()):
        if rules.order == "free":
            yield from judge(state, rules.rule, waiting, Horizon())
        elif _cohort_ready(state, rules, cohort, epoch):
            first, past = cohort * rules.cohort, (cohort + 1) * rules.cohort
            horizon = Horizon(seen=past, complete=first - rules.look_ahead + 1)
            yield from judge(state, rules.rule, waiting, horizon)


def _cohort_ready(state: SweepState, rules: Scheduling, cohort: int, epoch: int) -> bool:
    """Return whether nothing that is still open could change this cohort's judgement at `epoch`."""
    first = cohort * rules.cohort
    past = min(first + rules.cohort, rules.target)
    if len(state.trials) < past:
        return False
    for number, trial in state.active.items():
        if number >= past:
            continue
        decided = trial.cleared >= epoch
        stands_here = number >= first and trial.state is Standing.RUNNING and trial.epoch == epoch
        if not decided and not stands_here:
            return False
    return True
