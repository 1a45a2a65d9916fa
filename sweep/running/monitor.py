"""Turns the coordinator's state into the progress a person sees."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from sweep.history.state import Standing
from sweep.running.progress import BestTrial, Progress, TrialEnd

if TYPE_CHECKING:
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
        self._counts: Counter[str] = Counter()
        self._ended: list[TrialEnd] = []
        self._note_all_ended()

    def watch(self, coordinator: Coordinator) -> None:
        """Take note of what ended in training; report when it is time."""
        self._phase = "training"
        self.look_on(coordinator)

    def look_on(self, coordinator: Coordinator) -> None:
        """Take note of what ended, in whatever phase; report when it is time."""
        if coordinator.epochs_done:
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

    def busy_fraction(self) -> float:
        """Return the share of the workers' time spent working, from first ask to last tell."""
        clock = self._coordinator.clock
        if clock.first_ask is None:
            return 0.0
        until = clock.last_tell or time.time()
        return self._busy(until - clock.first_ask)

    def _busy(self, span: float) -> float:
        """Return the share of a span that workers were busy, or of the time they were there."""
        available = self._coordinator.worker_seconds() or span * self._workers
        return min(self._coordinator.clock.busy_seconds / max(available, 1e-9), 1.0)

    def _pulse(self) -> None:
        """Let people elsewhere know that the coordinator lives, and how its workers are."""
        self._pulsed = time.monotonic()
        self._coordinator.pulse({"phase": self._phase})

    def _note_all_ended(self) -> None:
        self._note([n for n, t in self._coordinator.state.trials.items() if t.ended])
        self._ended.clear()

    def _note(self, numbers: list[int]) -> None:
        goal = self._prepared.goal
        metric = goal.leading.metric
        for number in numbers:
            trial = self._coordinator.state.trials[number]
            value = goal.leading_value(trial)
            self._counts[trial.state.value] += 1
            state, why = trial.state, trial.message or trial.reason
            message = why if state is Standing.FAILED else ""
            self._ended.append(TrialEnd(number, state.value, metric, value, trial.epoch, message))
            rank = (goal.cost(trial), number)
            if value is not None and goal.ranks(trial) and rank < self._best_rank:
                self._best, self._best_rank = BestTrial(number, metric, value, trial.params), rank

    def _report(self) -> None:
        assert self._progress is not None
        state, clock = self._coordinator.state, self._coordinator.clock
        self._last = time.monotonic()
        ended, self._ended = tuple(self._ended), []
        live = (*state.active.values(), *state.paused.values())
        counts = self._counts + Counter(t.state.value for t in live)
        elapsed = time.time() - clock.began
        self._progress(
            Progress(
                counts=dict(counts),
                budget_trials=self._trials_in_all(),
                best=self._best,
                ended=ended,
                epochs_per_second=self._epochs_per_second(),
                busy_fraction=self._live_busy_fraction(),
                elapsed_seconds=elapsed,
                eta_seconds=self._eta(elapsed),
                workers_alive=self._coordinator.workers_alive(),
                workers=self._coordinator.health(),
                backlog=self._follower.backlog(),
                trouble=self._follower.trouble(),
                phase=self._phase,
            )
        )

    def _trials_in_all(self) -> int:
        """Return the budget, and the audits and replicates that have been added to it."""
        state = self._coordinator.state
        return self._prepared.config.budget.trials + len(state.trials) - state.searched

    def _live_busy_fraction(self) -> float:
        clock = self._coordinator.clock
        if clock.first_ask is None:
            return 0.0
        return self._busy(time.time() - clock.first_ask)

    def _epochs_per_second(self) -> float:
        now = time.monotonic()
        self._rate.append((now, self._coordinator.epochs_done))
        while len(self._rate) > 2 and now - self._rate[0][0] > RATE_WINDOW_SECONDS:
            self._rate.popleft()
        (then, before), (_, after) = self._rate[0], self._rate[-1]
        return (after - before) / (now - then) if now > then else 0.0

    def _eta(self, elapsed: float) -> float | None:
        done = sum(self._counts.values())
        session_done = done - self._coordinator.ended_before
        if session_done == 0:
            return None
        left = max(self._trials_in_all() - done, 0)
        return left * elapsed / session_done
