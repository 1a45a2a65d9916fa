"""Turns the coordinator's state into the progress a person sees."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from sweep.history.baselines import best_naive, skill
from sweep.history.state import Standing
from sweep.results.units import metric_unit
from sweep.running.progress import BestTrial, NaiveMark, Progress, TrialEnd
from sweep.running.tally import Tally
from sweep.running.time_left import Countdown, seconds_left
from sweep.search.study import search_limit

if TYPE_CHECKING:
    from sweep.running.clock import Moment
    from sweep.running.coordinator import Coordinator
    from sweep.running.follower import Follower
    from sweep.running.preparation import Prepared

INTERVAL_SECONDS = 0.25
PULSE_SECONDS = 5.0
RATE_WINDOW_SECONDS = 60.0


class Monitor:
    """Calls `progress` a few times a second with what is going on."""

    def __init__(
        self,
        prepared: Prepared,
        coordinator: Coordinator,
        follower: Follower,
        workers: int,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        """Watch one session."""
        self._prepared = prepared
        self._coordinator = coordinator
        self._follower = follower
        self._workers = workers
        self._progress = progress
        self._last = self._pulsed = 0.0
        self._phase = "starting"
        self._rate: deque[tuple[float, int]] = deque()
        self._best: BestTrial | None = None
        self._best_rank = (math.inf, 0)
        self._tally, self._countdown = Tally(), Countdown()
        limit = search_limit(prepared.space, prepared.search_rules)
        budget = prepared.config.budget.trials
        self._trials = budget if limit is None else min(budget, limit)
        self._repeats = _repeats_wanted(prepared)
        self._ended: list[TrialEnd] = []
        self._note_all_ended()

    def watch(self, coordinator: Coordinator) -> None:
        """Take note of what ended in training; report when it is time."""
        self._phase = "training"
        self.look_on(coordinator)

    def look_on(self, coordinator: Coordinator) -> None:
        """Take note of what ended, in whatever phase; report when it is time."""
        if coordinator.clock.epochs:
            self._follower.start()
        self._note(coordinator.take_ended())
        if time.monotonic() - self._pulsed >= PULSE_SECONDS:
            self._pulse()
        if self._progress is not None and time.monotonic() - self._last >= INTERVAL_SECONDS:
            self._report()

    def announce(self, phase: str) -> None:
        """Report at once that a phase begins."""
        self._phase = phase
        self._note(self._coordinator.take_ended())
        self._pulse()
        if self._progress is not None:
            self._report()

    def busy_fraction(self) -> float | None:
        """Return the share of the workers' time spent working, from first ask to last tell.

        In a session that only goes on with trials, from its first start; None where it trained
        nothing to an end.
        """
        clock = self._coordinator.clock
        return None if clock.last is None else self._busy_until(clock.last)

    def _busy_until(self, last: Moment) -> float | None:
        workers = None if self._coordinator.is_elastic else self._workers
        return self._coordinator.clock.busy_fraction(last, workers)

    def _pulse(self) -> None:
        """Let people elsewhere know that the coordinator lives, and how its workers are."""
        self._pulsed = time.monotonic()
        self._coordinator.pulse({"phase": self._phase})

    def _note_all_ended(self) -> None:
        self._note([n for n, t in self._coordinator.state.trials.items() if t.ended])
        self._ended.clear()

    def _note(self, numbers: list[int]) -> None:
        goal, metric = self._prepared.goal, self._prepared.goal.leading.metric
        for number in numbers:
            trial = self._coordinator.state.trials[number]
            value, state = goal.leading_value(trial), trial.state
            message = trial.message or trial.reason if state is Standing.FAILED else ""
            self._ended.append(TrialEnd(number, state.value, metric, value, trial.epoch, message))
            self._tally.add(trial)
            rank = (goal.cost(trial), number)
            if value is not None and goal.ranks(trial) and rank < self._best_rank:
                self._best, self._best_rank = BestTrial(number, metric, value, trial.params), rank

    def _report(self) -> None:
        assert self._progress is not None
        coordinator, state = self._coordinator, self._coordinator.state
        self._last = time.monotonic()
        ended, self._ended = tuple(self._ended), []
        training = coordinator.training()
        busy = self._busy_until(coordinator.moment()) if coordinator.clock.epochs else None
        data, leading = self._prepared.data, self._prepared.goal.leading.metric
        own = self._prepared.asked.unit(leading)
        self._progress(
            Progress(
                counts=self._tally.searched(state, set(training)),
                budget_trials=self._trials,
                best=self._best,
                naive=self._naive(),
                ended=ended,
                repeats=self._tally.repeats(state),
                training=len(training),
                unit=metric_unit(leading, data.task, data.units, own),
                epochs_per_second=self._epochs_per_second(),
                busy_fraction=busy,
                elapsed_seconds=time.time() - coordinator.clock.began,
                eta_seconds=self._seconds_left(),
                workers_alive=coordinator.workers_alive(),
                workers=coordinator.health(),
                backlog=self._follower.backlog(),
                trouble=self._follower.trouble(),
                phase=self._phase,
            )
        )

    def _naive(self) -> NaiveMark | None:
        leading = self._prepared.goal.leading
        found = best_naive(self._coordinator.state.baselines, leading)
        if found is None:
            return None
        value = None if self._best is None else self._best.value
        beaten = None if value is None else leading.better(value, found.value)
        own = skill(leading, value, found)
        return NaiveMark(found.name, leading.metric, found.value, own, beaten)

    def _seconds_left(self) -> float | None:
        state = self._coordinator.state
        news = (self._coordinator.clock.epochs, len(state.trials), len(state.active))
        return self._countdown.left(news, self._estimate)

    def _estimate(self) -> float | None:
        """Return how long what is to be trained takes at the pace so far; None before there is one.

        A trial is taken for as long as those that have ended, one that repeats another for whole.
        """
        coordinator, state, lengths = (
            self._coordinator,
            self._coordinator.state,
            self._tally.lengths,
        )
        live = list(state.active.values())
        if not coordinator.clock.epochs or not (live or lengths.count):
            return None
        whole = max((t.max_epochs for t in live), default=lengths.mean)
        whole_ones = [t for t in live if t.of is not None or t.recalled]
        left: list[float] = [t.max_epochs - t.epoch for t in whole_ones]
        left += [lengths.left(t.epoch, t.max_epochs) for t in live if t not in whole_ones]
        left += [lengths.left(0, whole)] * max(self._trials - state.searched, 0)
        left += [whole] * max(self._repeats - (len(state.trials) - state.searched), 0)
        workers = max(coordinator.workers_alive(), 1)
        together = len(coordinator.training()) / workers
        return seconds_left(left, coordinator.clock.epoch_seconds(), workers, together)

    def _epochs_per_second(self) -> float:
        now = time.monotonic()
        self._rate.append((now, self._coordinator.clock.epochs))
        while len(self._rate) > 2 and now - self._rate[0][0] > RATE_WINDOW_SECONDS:
            self._rate.popleft()
        (then, before), (_, after) = self._rate[0], self._rate[-1]
        return (after - before) / (now - then) if now > then else 0.0


def _repeats_wanted(prepared: Prepared) -> int:
    """Return how many audits and replicates the sweep file asks for."""
    finalists, pruning = prepared.config.finalists, prepared.config.search.pruning
    replicates = finalists.count * (finalists.replicates - 1) if prepared.data.test else 0
    return replicates + (pruning.audit if pruning.rule != "none" else 0)
