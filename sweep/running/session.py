"""One session of a sweep, from its configuration to its closing line in the log.

Resume is running the same command again: what the log holds goes on, what it does not hold begins.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.errors import HeadLost
from sweep.config.sweep_config import SweepConfig
from sweep.history.state import Standing
from sweep.log.event import Event
from sweep.log.kinds import Closed
from sweep.pruning.verdicts import PausingRule
from sweep.running.asking import Asking
from sweep.running.baselines import Baselines
from sweep.running.coordinator import ASKED_TO_END, Coordinator
from sweep.running.finalists import best_numbers, finalists, to_combine, with_replicates
from sweep.running.finding_weights import WeightsOf, with_first_weights, write_first_weights
from sweep.running.fleet import Fleet
from sweep.running.follower import Follower
from sweep.running.journal import Journal, claim, reopen
from sweep.running.monitor import Monitor
from sweep.running.preparation import (
    Prepared,
    check_device,
    prepare,
    worker_count,
    worker_needs,
    worker_settings,
)
from sweep.running.progress import Progress
from sweep.running.provenance import opened
from sweep.running.repeats import audits, replicates
from sweep.running.retention import Retention
from sweep.running.scheduler import Scheduling
from sweep.running.stop_flag import StopFlag
from sweep.running.structured_log import notices_to
from sweep.running.warm_start import warm_events
from sweep.search.seeds import ask_seed
from sweep.search.study import search_limit
from sweep.work.executors import Executor, RayExecutor
from sweep.work.protocol import WorkerSettings
from sweep.work.shared_disk import mark_disk
from trainers.data.finding import grave
from trainers.data.interface import write_interfaces

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a session ended.

    Attributes:
        reason: finished, interrupted, stopped (by `rnn-sweep stop`) or budget.
        folder: Where log and checkpoints lie.
        best: Number of the best complete trial by validation, None where there is none.
        finalists: Trials evaluated on the test part, best first.
        busy_fraction: Share of the workers' time spent working, first ask to last tell; None where
            nothing was trained to an end.
        untracked: Events that MLflow has not got yet; `rnn-sweep sync` writes them.
        all_failed: Whether there are trials and every one of them has failed.
        nothing_left: Whether everything was done before this session began.
        finalists_missing: How many finalists a spent budget has left paused or pruned.
    """

    reason: str
    folder: Path
    best: int | None
    finalists: tuple[int, ...]
    busy_fraction: float | None
    wall_seconds: float
    untracked: int = 0
    all_failed: bool = False
    nothing_left: bool = False
    finalists_missing: int = 0


def run_sweep(
    config: SweepConfig,
    directory: Path,
    progress: Callable[[Progress], None] | None = None,
    executor: Executor | None = None,
    weights_of: WeightsOf | None = None,
) -> Outcome:
    """Run a sweep to its end, or go on with one that was interrupted.

    Args:
        config: The checked sweep file.
        directory: Folder that holds all sweeps; this one's lies in `directory/NAME`.
        progress: Called a few times a second.
        executor: Where workers live; Ray by default.
        weights_of: Finds what `train.first_weights` names.

    Raises:
        UserError: the configuration does not fit data, space or an earlier session.
        LeaseLost: another coordinator took the sweep over.
        HeadLost: the cluster has gone; the same command goes on once it is back.
    """
    folder = directory / config.name
    with ExitStack() as stack:
        journal = reopen(config, folder, stack)
        prepared = with_first_weights(prepare(config), folder, journal, weights_of)
        warm = warm_events(prepared, directory)
        executor = executor or RayExecutor(
            config.run.address, worker_needs(config), config.cluster.priority
        )
        stack.callback(executor.close)
        executor.connect(worker_count(config), prepared.choices.array_bytes)
        check_device(config, executor.device(config.run.device))
        journal = journal or claim(config, folder, stack)
        journal.fold(prepared)
        write_first_weights(prepared, folder)
        stack.enter_context(notices_to(folder))
        for finding in grave(prepared.choices.default.findings):
            _LOG.warning("data, %s: %s", finding.grade, finding.text)
        return Session(prepared, journal, executor).run(warm, progress)


class Session:
    """What one session puts together, once everything is checked and the log is ours."""

    def __init__(self, prepared: Prepared, journal: Journal, executor: Executor) -> None:
        """Begin nothing yet."""
        self._prepared = prepared
        self._config = prepared.config
        self._journal = journal
        self._executor = executor

    def run(self, warm: Sequence[Event], progress: Callable[[Progress], None] | None) -> Outcome:
        """Train what is left to train, evaluate the finalists, close.

        Args:
            warm: What the search learns from earlier sweeps, where this one is new.
            progress: Called a few times a second.
        """
        workers = worker_count(self._config, self._executor.room())
        self._open(workers, warm)
        before = self._standing()
        rules = self._rules()
        fleet = self._fleet(rules)
        coordinator = self._coordinator(rules, fleet)
        follower = Follower(self._config, self._journal.folder.parent, self._journal.log)
        monitor = Monitor(self._prepared, coordinator, follower, workers, progress)
        baselines = Baselines(self._prepared, self._journal, self._executor)
        monitor.announce("starting")
        try:
            self._executor.start(self._prepared.choices, self._worker_settings(), workers)
            with self._stop_flag(fleet) as stop:
                watch = _Watch(monitor, baselines)
                reason, tested = self._work(coordinator, watch, stop)
            monitor.announce("closing")
            (baselines.abandon if reason in ASKED_TO_END else baselines.finish)()
            nothing_left = reason == "finished" and self._standing() == before
            self._close(reason, coordinator, fleet, workers)
        except HeadLost as lost:
            _LOG.warning("%s", lost)
            follower.abandon()  # the next session has one of its own
            raise
        finally:
            self._executor.close()
        untracked, trials = follower.finish(), self._journal.state.trials
        return Outcome(
            reason,
            self._journal.folder,
            next(iter(best_numbers(self._journal.state, self._prepared.goal, 1)), None),
            tuple(number for number in tested if trials[number].test),
            monitor.busy_fraction(),
            time.time() - coordinator.clock.began,
            untracked,
            {trial.state for trial in trials.values()} == {Standing.FAILED},
            nothing_left,
            0 if rules.finals is None else rules.finals.missing(self._journal.state),
        )

    # -- what it consists of -------------------------------------------------------------------

    def _open(self, workers: int, warm: Sequence[Event]) -> None:
        journal = self._journal
        write_interfaces(self._prepared.choices.by_key, journal.folder)
        mark_disk(journal.folder, journal.log.uid())
        is_new = journal.state.first_opened is None
        first = opened(self._prepared, self._executor, workers, resumed=not is_new)
        journal.record([Event(first), *(warm if is_new else ())])

    def _rules(self) -> Scheduling:
        first = self._journal.state.first_opened
        assert first is not None
        limit = search_limit(self._prepared.space, self._prepared.search_rules)
        return self._prepared.scheduling(first.workers, limit)

    def _fleet(self, rules: Scheduling) -> Fleet:
        """Return the session's workers: as many as the sweep file wants and has work for."""
        config, state = self._config, self._journal.state

        def wanted(room: int | None) -> int:
            count = worker_count(config, room)
            if room is None:
                return count
            left = max(rules.target - state.searched, 0) + len(state.active) + len(state.paused)
            return max(min(count, left), 1)

        hang_seconds = config.run.hang_seconds
        return Fleet(self._executor, state, rules.rule, hang_seconds, wanted, rules.most_at_once)

    def _coordinator(self, rules: Scheduling, fleet: Fleet) -> Coordinator:
        prepared, journal = self._prepared, self._journal
        run = self._config.run
        on_cpu = self._executor.device(run.device) == "cpu"
        in_packs = not on_cpu if run.pack == "auto" else run.pack > 1
        asking = Asking.restored(prepared, rules, journal.state, in_packs=in_packs)
        keep = max(self._config.retention.checkpoints, self._config.finalists.count)
        spare = 0 if isinstance(rules.rule, PausingRule) else rules.finalists
        retention = Retention(journal.folder, keep, prepared.goal.cost, spare)
        retention.restore(journal.state)
        return Coordinator(journal, rules, fleet, asking, retention)

    def _worker_settings(self) -> WorkerSettings:
        device = self._executor.device(self._config.run.device)
        journal = self._journal
        return worker_settings(self._prepared, device, journal.folder, journal.log.uid())

    def _stop_flag(self, fleet: Fleet) -> StopFlag:
        budget, state, gpus = self._config.budget, self._journal.state, self._executor.gpus()
        left = None if budget.hours is None else budget.hours * 3600 - state.wall_seconds
        gpu_left = None if budget.gpu_hours is None else budget.gpu_hours * 3600 - state.gpu_seconds

        def asked() -> str | None:
            if self._journal.stop_requested():
                return "stopped"
            spent = gpu_left is not None and gpus * fleet.worker_seconds >= gpu_left
            return "budget" if spent else None

        return StopFlag(left, asked)

    # -- what it does --------------------------------------------------------------------------

    def _work(
        self, coordinator: Coordinator, watch: _Watch, stop: StopFlag
    ) -> tuple[str, list[int]]:
        """Train and evaluate; return why that ended, and the finalists."""
        reason = self._train(coordinator, lambda: coordinator.run(stop, watch.training))
        chosen: list[int] = []
        if reason not in ASKED_TO_END:
            watch.monitor.announce("finalists")
            chosen = finalists(self._prepared, self._journal)
            coordinator.evaluate(with_replicates(self._journal, chosen), stop, watch.evaluating)
            if members := to_combine(self._prepared, self._journal):
                seed = ask_seed(self._config.search.seed, 0, "ensemble")
                coordinator.combine(members, seed, stop, watch.evaluating)
        late = stop()
        return (late if late in ASKED_TO_END and late is not None else reason), chosen

    def _train(self, coordinator: Coordinator, run: Callable[[], str]) -> str:
        """Train the search's trials, then the audits, then the finalists' replicates."""
        config, state, seed = self._config, self._journal.state, self._config.search.seed
        reason = run()
        if reason == "finished":
            coordinator.forget_stopped()
            coordinator.add(audits(state, config.search.pruning.audit, seed))
            reason = run()
        if reason == "finished" and config.finalists.replicates > 1:
            chosen = finalists(self._prepared, self._journal)
            coordinator.add(replicates(state, chosen, config.finalists.replicates, seed))
            reason = run()
        return reason

    def _standing(self) -> tuple[Any, ...]:
        """Return how many trials there are, have ended and are tested; and what was combined."""
        state = self._journal.state
        trials = state.trials.values()
        ended, tested = sum(t.ended for t in trials), sum(bool(t.test) for t in trials)
        return len(trials), ended, tested, state.ensembled

    def _close(self, reason: str, coordinator: Coordinator, fleet: Fleet, workers: int) -> None:
        closed = Closed(
            reason=reason,
            busy_seconds=coordinator.clock.busy_seconds,
            wall_seconds=time.time() - coordinator.clock.began,
            workers=workers,
            gpu_seconds=self._executor.gpus() * fleet.worker_seconds,
        )
        self._journal.record([Event(closed)])


@dataclass(frozen=True)
class _Watch:
    """What is looked after between the coordinator's rounds."""

    monitor: Monitor
    baselines: Baselines

    def training(self, coordinator: Coordinator) -> None:
        """While trials train."""
        self.baselines.tend(coordinator.clock.epochs)
        self.monitor.watch(coordinator)

    def evaluating(self, coordinator: Coordinator) -> None:
        """While finalists are evaluated."""
        self.baselines.tend(coordinator.clock.epochs)
        self.monitor.look_on(coordinator)
