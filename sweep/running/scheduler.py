"""Decides what happens next: a pure function of the folded log and of who holds which trial.

The coordinator carries the decisions out. Two orders are known. `free`: trials are asked as
workers become free and rungs are judged by whoever waits. `reproducible`: trial n is asked from
exactly the results of trials 0 … n - look_ahead, and rungs are judged in fixed cohorts of trials,
so that every decision is a function of the sweep file alone. A trial that a cohort's judgement
promotes belongs to that cohort from then on (its generation).

Packs: a free ask fixes a structure, the asks that follow it are pinned to it. A structure may lead
as many trials as fill a pack twice; then it must win a free ask again, so that no structure starves
the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sweep.history.state import Standing, SweepState, TrialState
from sweep.pruning.finals import Finals
from sweep.pruning.verdicts import (
    Horizon,
    Rule,
    Verdict,
    closing_verdicts,
    generation_of,
    judge,
    rungs_of,
    waits_at,
)

STANDBY_SECONDS = 2.0
MAX_DEATHS = 3  # of workers, in a row, by one trial that gets no further
FILLS = 2  # how often one structure may fill a pack before it must be chosen again


@dataclass(frozen=True)
class Scheduling:
    """The rules of one sweep's scheduling.

    Attributes:
        target: Trials to ask the search for in all.
        look_ahead: In reproducible order, how many results an ask may miss (3 x workers x pack).
        cohort: In reproducible order, how many trials a rung judges together.
        pack: Trials that one worker trains together, unless a worker says otherwise.
        most_at_once: Trials that all workers together may hold; None sets no limit.
        finals: How many trials shall be complete when the search is over; None: none in particular.
    """

    order: Literal["free", "reproducible"]
    target: int
    rule: Rule
    look_ahead: int
    cohort: int
    pack: int = 1
    most_at_once: int | None = None
    finals: Finals | None = None

    @property
    def finalists(self) -> int:
        """How many trials shall be complete at last."""
        return 0 if self.finals is None else self.finals.count


@dataclass(frozen=True)
class Decisions:
    """What to do now.

    Attributes:
        verdicts: Decisions of rungs.
        assignments: (trial, worker) pairs.
        given_up: Trials whose worker died too often.
        ask: Whether to ask for the next trial.
        follow: The trial whose structure the next one shall have; None for a free ask.
        finished: Whether nothing is left to do.
    """

    verdicts: tuple[Verdict, ...] = ()
    assignments: tuple[tuple[int, str], ...] = ()
    given_up: tuple[int, ...] = ()
    ask: bool = False
    follow: int | None = None
    finished: bool = False


def decide(
    state: SweepState,
    fleet: Mapping[str, Sequence[int]],
    rules: Scheduling,
    capacity: Mapping[str, int] | None = None,
) -> Decisions:
    """Decide what to do now.

    Args:
        fleet: Trials that each living worker holds and that have not ended.
        capacity: Trials that a worker can train together, where it is not `rules.pack`.
    """
    verdicts = tuple(_verdicts(state, rules))
    if verdicts:
        return Decisions(verdicts=verdicts)
    waiting = [t for t in state.active.values() if t.state is Standing.WAITING]
    given_up = tuple(t.number for t in waiting if t.deaths >= MAX_DEATHS)
    if given_up:
        return Decisions(given_up=given_up)
    places = _free_places(state, fleet, rules, capacity or {})
    assignments = tuple(_assignments(state, fleet, places, sorted(t.number for t in waiting)))
    hungry = list(places)
    for _, worker in assignments:
        hungry.remove(worker)
    more = bool(hungry) and may_ask(state, rules)
    follow = None
    if more:
        worker = hungry[0]
        joining = [number for number, chosen in assignments if chosen == worker]
        slots = (capacity or {}).get(worker, rules.pack)
        follow = _followed(state, [*fleet[worker], *joining], rules, slots)
    if not state.active and state.searched >= rules.target:
        recalls = () if rules.finals is None else rules.finals.verdicts(state)
        last = tuple(closing_verdicts(state, recalls))
        return Decisions(verdicts=last, finished=not last)
    return Decisions(assignments=assignments, ask=more, follow=follow)


def may_ask(state: SweepState, rules: Scheduling) -> bool:
    """Return whether the next trial may be asked by the order's rules."""
    index = state.searched
    if index >= rules.target:
        return False
    if rules.order == "free":
        return True
    return not any(_missed_by(trial, index, rules) for trial in state.active.values())


def _missed_by(trial: TrialState, index: int, rules: Scheduling) -> bool:
    """Return whether the `index`-th ask must know how this active trial goes on, and can't."""
    if trial.of is not None:
        return False
    if trial.generation is None:
        return trial.index <= index - rules.look_ahead
    return trial.generation <= known_generation(index, rules)


def known_generation(index: int, rules: Scheduling) -> int:
    """Return the last cohort that lies wholly within the results that the `index`-th ask knows."""
    return (index - rules.look_ahead + 1) // rules.cohort - 1


def next_stop_seconds(trial: TrialState, rungs: Sequence[int]) -> float | None:
    """Return a lower bound on the seconds until the trial may end or wait; None when unknown."""
    if trial.epoch == 0 or not trial.config:
        return None
    ends: list[int] = [trial.max_epochs, *(r for r in rungs if r > trial.epoch)]
    if trial.config.get("patience") is not None:
        ends.append(max(trial.best_epoch + trial.config["patience"], trial.epoch + 1))
    epochs = max(min(ends) - trial.epoch, 0)
    return epochs * trial.train_seconds / trial.epoch


def _free_places(
    state: SweepState,
    fleet: Mapping[str, Sequence[int]],
    rules: Scheduling,
    capacity: Mapping[str, int],
) -> list[str]:
    """Return a worker's name for every trial that it wants, the least loaded worker first."""
    wanted = {
        worker: _wanted(state, held, rules, capacity.get(worker, rules.pack))
        for worker, held in fleet.items()
    }
    load = {worker: len(held) for worker, held in fleet.items()}
    places = []
    while any(wanted.values()):
        worker = min((w for w in wanted if wanted[w]), key=lambda w: load[w])
        places.append(worker)
        wanted[worker] -= 1
        load[worker] += 1
    if rules.most_at_once is not None:
        held = [number for numbers in fleet.values() for number in numbers]
        training = sum(not _waits(state, number, rules) for number in held)
        places = places[: max(rules.most_at_once - training, 0)]
    return places


def _wanted(state: SweepState, held: Sequence[int], rules: Scheduling, slots: int) -> int:
    """Return how many trials a worker can take; one on its own is followed before it ends."""
    runnable = [state.trials[number] for number in held if not _waits(state, number, rules)]
    if slots > 1 or len(runnable) != 1:
        return max(slots - len(runnable), 0)
    if rules.most_at_once is not None:
        return 0
    seconds = next_stop_seconds(runnable[0], rungs_of(rules.rule, runnable[0]))
    return int(seconds is not None and seconds < STANDBY_SECONDS)


def _waits(state: SweepState, number: int, rules: Scheduling) -> bool:
    trial = state.trials[number]
    return waits_at(trial, rungs_of(rules.rule, trial))


def _assignments(
    state: SweepState,
    fleet: Mapping[str, Sequence[int]],
    places: Sequence[str],
    queue: list[int],
) -> Iterator[tuple[int, str]]:
    """Yield who trains where: trials of a pack's structure join it, else the oldest goes first.

    No worker gets two trials that are suspected of having killed theirs: the next death shall name
    the culprit.
    """
    leads = {w: {state.trials[n].lead for n in held} for w, held in fleet.items()}
    watched = {w for w, held in fleet.items() if any(state.trials[n].suspect for n in held)}
    for worker in places:
        fits = [n for n in queue if not (worker in watched and state.trials[n].suspect)]
        if not fits:
            continue
        number = next((n for n in fits if state.trials[n].lead in leads[worker]), fits[0])
        queue.remove(number)
        leads[worker].add(state.trials[number].lead)
        if state.trials[number].suspect:
            watched.add(worker)
        yield number, worker


def _followed(state: SweepState, held: Sequence[int], rules: Scheduling, slots: int) -> int | None:
    """Return the trial whose structure the next ask is pinned to; None for a free ask."""
    if rules.order == "reproducible":
        slots = rules.pack  # what a worker can take is no part of the sweep file
    if slots == 1:
        return None
    most = FILLS * slots
    if rules.order == "reproducible":
        first = state.searched // most * most
        return _number_of(state, first) if state.searched > first else None
    leads = [state.trials[n].lead for n in held]
    return next((lead for lead in reversed(leads) if state.followers.get(lead, 0) < most), None)


def _number_of(state: SweepState, index: int) -> int:
    """Return the number of the `index`-th trial that was asked for."""
    number = index  # audits and replicates of an earlier session may lie between
    while state.trials[number].index != index:
        number += 1
    return number


def _verdicts(state: SweepState, rules: Scheduling) -> Iterator[Verdict]:
    at_rung: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for trial in state.active.values():
        if waits_at(trial, rungs_of(rules.rule, trial)):
            generation = 0
            if rules.order == "reproducible":
                generation = generation_of(trial, rules.cohort)
            at_rung[generation, trial.epoch, trial.bracket].append(trial.number)
    for (generation, epoch, bracket), waiting in sorted(at_rung.items()):
        if rules.order == "free":
            yield from judge(state, rules.rule, waiting, Horizon(), rules.target, rules.finalists)
        elif _cohort_ready(state, rules, generation, epoch, bracket):
            complete = generation * rules.cohort - rules.look_ahead + 1
            horizon = Horizon(generation, rules.cohort, complete)
            yield from judge(state, rules.rule, waiting, horizon, rules.target, rules.finalists)


def _cohort_ready(
    state: SweepState, rules: Scheduling, cohort: int, epoch: int, bracket: int
) -> bool:
    """Return whether nothing that is still open could change this cohort's judgement at `epoch`."""
    if state.searched < min((cohort + 1) * rules.cohort, rules.target):
        return False
    for trial in state.active.values():
        if trial.of is not None or generation_of(trial, rules.cohort) > cohort:
            continue
        if trial.bracket != bracket:
            continue
        decided = trial.cleared >= epoch
        own = generation_of(trial, rules.cohort) == cohort
        stands_here = own and trial.state is Standing.RUNNING and trial.epoch == epoch
        if not decided and not stands_here:
            return False
    return True
