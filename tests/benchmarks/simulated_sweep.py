"""A sweep in simulated time: recorded curves instead of training, the product's own decisions.

Workers take one unit of time for every epoch; what they report is folded by `SweepState`, and
`decide` decides as it does for the coordinator, whose loop this follows: verdicts first, then
assignments, then the next ask. Trials are asked in the order given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sweep.history.state import Standing, SweepState, TrialState
from sweep.log.event import Event
from sweep.log.kinds import Asked, Completed, Continued, Failed, Paused, Pruned, Reported, Started
from sweep.pruning.verdicts import Decision, Rule, Verdict, rungs_of, waits_at
from sweep.running.scheduler import Scheduling, decide
from tests.sweep.events_factory import some
from trainers.config.objective import Objective

Order = Literal["free", "reproducible"]
METRIC = "objective"
EPOCH_SECONDS = 10.0  # beyond the scheduler's standby: a worker holds one trial at a time


@dataclass(frozen=True)
class Spent:
    """What a simulated sweep came to.

    Attributes:
        best_so_far: Best value that any trial had shown, after every epoch that was trained.
        final: Best value of the winner, the best trial among those that ran to their end.
        ended: How each trial ended and after how many epochs, in the order of the asks.
    """

    best_so_far: list[float]
    final: float
    ended: list[tuple[Standing, int]] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """Epochs trained in all."""
        return len(self.best_so_far)

    def epochs_to(self, value: float) -> float:
        """Return the epochs trained until a trial had shown `value` or better."""
        reached = (epoch for epoch, best in enumerate(self.best_so_far, 1) if best <= value)
        return next(reached, math.inf)


def simulate(
    curves: Sequence[Sequence[float]],
    max_epochs: int,
    rule: Rule,
    workers: int,
    order: Order = "free",
) -> Spent:
    """Run a sweep over curves of values to be minimised, asked in this order.

    Args:
        curves: Values by epoch; a trial with fewer than `max_epochs` of them diverges after them.
        workers: Simulated workers, each training one trial at a time.
        order: The sweep file's `run.order`.
    """
    rules = Scheduling(order, len(curves), rule, look_ahead=3 * workers, cohort=workers)
    return _Simulation(curves, max_epochs, rules, workers).run()


class _Simulation:
    def __init__(
        self,
        curves: Sequence[Sequence[float]],
        max_epochs: int,
        rules: Scheduling,
        workers: int,
    ) -> None:
        self._curves = curves
        self._max_epochs = max_epochs
        self._rules = rules
        self._state = SweepState(objective=Objective(METRIC))
        self._held: dict[str, list[int]] = {f"worker-{index}": [] for index in range(workers)}
        self._best_so_far: list[float] = []

    def run(self) -> Spent:
        while not self._decide():
            self._train_an_epoch()
        trials = [self._state.trials[number] for number in sorted(self._state.trials)]
        complete = [t.values[0] for t in trials if t.state is Standing.COMPLETE]
        final = min(complete, default=math.inf)
        return Spent(self._best_so_far, final, [(trial.state, trial.epoch) for trial in trials])

    def _decide(self) -> bool:
        """Carry out decisions until there are none; return whether the sweep is over."""
        while True:
            decided = decide(self._state, self._held, self._rules)
            if decided.finished:
                return True
            self._record(self._verdict_event(verdict) for verdict in decided.verdicts)
            for number, worker in decided.assignments:
                self._record([self._started(self._state.trials[number], worker)])
                self._held[worker].append(number)
            if decided.ask:
                self._record([self._asked(len(self._state.trials))])
            if not (decided.verdicts or decided.assignments or decided.ask):
                return False

    def _train_an_epoch(self) -> None:
        """Let every worker train one epoch of the oldest trial that it may train."""
        trained = []
        for held in self._held.values():
            trials = (self._state.trials[number] for number in held)
            trial = next((t for t in trials if not self._waits(t)), None)
            if trial is not None:
                trained.append(trial)
        if not trained:
            raise RuntimeError("nothing is trained, and nothing is decided: the sweep stands still")
        for trial in trained:
            self._record(self._epoch_events(trial))

    def _waits(self, trial: TrialState) -> bool:
        return waits_at(trial, rungs_of(self._rules.rule, trial))

    def _record(self, events: Iterable[Event]) -> None:
        for event in events:
            self._state.apply(replace(event, seq=self._state.seq + 1))
            assert event.trial is not None
            trial = self._state.trials[event.trial]
            if trial.ended or trial.state is Standing.PAUSED:
                self._held[trial.worker] = [n for n in self._held[trial.worker] if n != event.trial]

    def _epoch_events(self, trial: TrialState) -> list[Event]:
        values = self._curves[trial.number]
        epoch = trial.epoch + 1
        best = min(values[:epoch])
        shown = min(best, self._best_so_far[-1]) if self._best_so_far else best
        self._best_so_far.append(shown)
        place, best_epoch = (trial.number, trial.attempt, epoch), values.index(best) + 1
        report = some(
            Reported,
            validation={METRIC: values[epoch - 1]},
            best={METRIC: best},
            best_epoch=best_epoch,
            train_seconds=EPOCH_SECONDS,
        )
        events = [Event(report, *place)]
        if epoch == self._max_epochs:
            end = some(Completed, best={METRIC: best}, best_epoch=best_epoch, values=(best,))
            events.append(Event(end, *place))
        elif epoch == len(values):
            events.append(Event(Failed("diverged", "it diverged"), *place))
        return events

    def _verdict_event(self, verdict: Verdict) -> Event:
        trial = self._state.trials[verdict.trial]
        common = (verdict.trial, trial.attempt, verdict.epoch)
        if verdict.decision is Decision.GO:
            return Event(Continued(), *common)
        if verdict.decision is Decision.PROMOTE:
            return Event(Continued(True, verdict.generation), *common)
        kind = Paused if verdict.decision is Decision.PAUSE else Pruned
        values = (trial.best_at(verdict.epoch, 1.0),)
        what = kind(self._rules.rule.name, trial.best, trial.best_epoch, values, trial.parameters)
        return Event(what, *common)

    def _started(self, trial: TrialState, worker: str) -> Event:
        return Event(Started(worker, trial.epoch, None), trial.number, trial.attempt + 1)

    def _asked(self, number: int) -> Event:
        config = {"max_epochs": self._max_epochs, "patience": None}
        return Event(some(Asked, uid=str(number), config=config, seed=number), number)
