"""One session of a sweep, from its configuration to its closing line in the log.

Resume is running the same command again: what the log holds goes on, what it does not hold begins.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from cluster.errors import HeadLost
from sweep.config.identity import difference, identity
from sweep.config.sweep_config import SweepConfig
from sweep.errors import ConfigMismatch, ConfigProblem, LeaseLost
from sweep.history.goal import ranked
from sweep.history.state import Standing, SweepState, load_state
from sweep.log.checkpoints import CHECKPOINTS, checkpoint_path
from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.log.kinds import Closed, Opened
from sweep.log.lease import Lease
from sweep.log.places import adopt, create_log, has_log, probe
from sweep.running.asking import Asking
from sweep.running.coordinator import ASKED_TO_END, Coordinator
from sweep.running.fleet import Fleet
from sweep.running.follower import Follower
from sweep.running.monitor import Monitor
from sweep.running.preparation import Prepared, pack_size, prepare, worker_count, worker_needs
from sweep.running.progress import Progress
from sweep.running.provenance import commit, data_facts, machine, space_facts, versions
from sweep.running.repeats import audits, replicates
from sweep.running.retention import Retention
from sweep.running.scheduler import Scheduling
from sweep.running.stop_flag import StopFlag
from sweep.running.structured_log import notices_to
from sweep.running.telling import TrialOutcome, due, outcomes
from sweep.running.warm_start import warm_events
from sweep.search.study import Search, Told, restore_search, search_limit
from sweep.work.executors import Executor, RayExecutor
from sweep.work.protocol import WorkerSettings
from sweep.work.shared_disk import mark_disk
from trainers.data.contract import array_bytes
from trainers.data.interface import write_interface

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


def run_sweep(
    config: SweepConfig,
    directory: Path,
    progress: Callable[[Progress], None] | None = None,
    executor: Executor | None = None,
) -> Outcome:
    """Run a sweep to its end, or go on with one that was interrupted.

    Args:
        config: The checked sweep file.
        directory: Folder that holds all sweeps; this one's lies in `directory/NAME`.
        progress: Called a few times a second.
        executor: Where workers live; Ray by default.

    Raises:
        UserError: the configuration does not fit data, space or an earlier session.
        LeaseLost: another coordinator took the sweep over.
        HeadLost: the cluster has gone; the same command goes on once it is back.
    """
    folder = directory / config.name
    with ExitStack() as stack:
        log, lease = _open_existing(config, folder, stack)
        prepared = prepare(config)
        warm = warm_events(prepared, directory)
        executor = executor or RayExecutor(
            config.run.address, worker_needs(config), config.cluster.priority
        )
        stack.callback(executor.close)
        executor.connect(worker_count(config), array_bytes(prepared.data))
        device = executor.device(config.run.device)  # refuses a cluster on which no worker fits
        if config.run.backend == "graph" and device == "cpu":
            raise ConfigProblem(
                "run.backend=graph captures CUDA graphs, so it needs run.device cuda, but got cpu; "
                "set run.backend to auto, or name a cluster with GPUs."
            )
        if log is None or lease is None:
            log, lease = _claim(config, folder, stack)
        state = load_state(log, objective=prepared.goal.leading, keep_reports=False)
        _check_data(prepared, state)
        stack.enter_context(notices_to(folder))
        session = _Session(prepared, folder, log, lease, state, executor, warm)
        return session.run(progress)


@dataclass
class _Session:
    prepared: Prepared
    folder: Path
    log: EventLog
    lease: Lease
    state: SweepState
    executor: Executor
    warm: list[Event]

    def run(self, progress: Callable[[Progress], None] | None) -> Outcome:
        config = self.prepared.config
        workers = worker_count(config, self.executor.room())
        self._open(workers)
        before = self._standing()
        assert self.state.first_opened is not None
        first_workers = self.state.first_opened.workers
        limit = search_limit(self.prepared.space, self.prepared.search_rules)
        rules = self.prepared.scheduling(first_workers, limit)
        search, untold = self._restore_search(rules)
        retention = self._retention()
        asking = Asking(self.prepared, rules, search, untold)
        fleet = self._fleet(rules)
        coordinator = Coordinator(
            self.prepared,
            self.log,
            self.lease,
            self.state,
            self.executor,
            rules,
            asking,
            retention,
            fleet,
        )
        follower = Follower(config, self.folder.parent, self.log)
        monitor = Monitor(self.prepared, coordinator, follower, workers, progress)
        monitor.announce("starting")
        try:
            self.executor.start(self.prepared.data, self._worker_settings(), workers)
            with self._stop_flag(fleet) as stop:
                reason = self._train(coordinator, lambda: coordinator.run(stop, monitor.watch))
                finalists: list[int] = []
                if reason not in ASKED_TO_END:
                    monitor.announce("finalists")
                    finalists = self._finalists()
                    chosen = [*finalists, *self._replicates_of(finalists)]
                    coordinator.evaluate(chosen, stop, monitor.look_on)
                if (late := stop()) in ASKED_TO_END:
                    reason = late
            monitor.announce("closing")
            nothing_left = reason == "finished" and self._standing() == before
            self._close(reason, coordinator, fleet, workers)
        except HeadLost as lost:
            _LOG.warning("%s", lost)
            follower.abandon()  # the next session has one of its own
            raise
        finally:
            self.executor.close()
        untracked = follower.finish()
        best = self._best(1)
        return Outcome(
            reason,
            self.folder,
            best[0] if best else None,
            tuple(number for number in finalists if self.state.trials[number].test),
            monitor.busy_fraction(),
            time.time() - coordinator.clock.began,
            untracked,
            {t.state for t in self.state.trials.values()} == {Standing.FAILED},
            nothing_left,
        )

    def _standing(self) -> tuple[int, int, int]:
        """Return how many trials there are, how many have ended and how many are tested."""
        trials = self.state.trials.values()
        return len(trials), sum(t.ended for t in trials), sum(bool(t.test) for t in trials)

    def _fleet(self, rules: Scheduling) -> Fleet:
        """Return the session's workers: as many as the sweep file wants and has work for."""
        config, state = self.prepared.config, self.state

        def wanted(room: int | None) -> int:
            count = worker_count(config, room)
            if room is None:
                return count
            left = max(rules.target - state.searched, 0) + len(state.active) + len(state.paused)
            return max(min(count, left), 1)

        hang_seconds = config.run.hang_seconds
        return Fleet(self.executor, state, rules.rule, hang_seconds, wanted, rules.most_at_once)

    def _open(self, workers: int) -> None:
        data = self.prepared.data
        write_interface(data, self.folder)
        mark_disk(self.folder, self.log.uid())
        config = self.prepared.config
        opened = Opened(
            pid=os.getpid(),
            host=socket.gethostname(),
            workers=workers,
            gpus=self.executor.gpus(),
            elastic=self.executor.room() is not None,
            order=config.run.order,
            resumed=self.state.first_opened is not None,
            versions=versions(),
            commit=commit(),
            machine=machine(),
            data=data_facts(data),
            space=space_facts(self.prepared.space),
            objectives=tuple(self.prepared.goal.plain()),
        )
        events = [Event(opened)]
        if self.state.first_opened is None:
            events += self.warm
        self._append(events)

    def _append(self, events: list[Event]) -> None:
        self.log.append(events, self.lease.fence)
        for event in self.log.read(self.state.seq):
            self.state.apply(event)

    def _train(self, coordinator: Coordinator, run: Callable[[], str]) -> str:
        """Train the search's trials, then the audits, then the finalists' replicates."""
        config, seed = self.prepared.config, self.prepared.config.search.seed
        reason = run()
        if reason == "finished":
            coordinator.add(audits(self.state, config.search.pruning.audit, seed))
            reason = run()
        if reason == "finished" and config.finalists.replicates > 1:
            count = config.finalists.replicates
            coordinator.add(replicates(self.state, self._finalists(), count, seed))
            reason = run()
        return reason

    def _replicates_of(self, finalists: list[int]) -> list[int]:
        trials = self.state.trials.values()
        found = (t for t in trials if t.source == "replicate" and t.of in finalists)
        complete = (t.number for t in found if t.state is Standing.COMPLETE)
        return [number for number in complete if self._is_there(number)]

    def _restore_search(self, rules: Scheduling) -> tuple[Search, set[TrialOutcome]]:
        """Rebuild the search, and what it is not told of before its next ask.

        In reproducible order each ask of the past knew what it knows again; in free order what has
        ended is told all at once.
        """
        untold = {o for t in self.state.trials.values() for o in outcomes(t)}

        def before(index: int) -> Iterator[Told]:
            known = due(self.state, rules, index, untold) if rules.order == "reproducible" else []
            for outcome in known:
                untold.remove(outcome)
                yield self.state.trials[outcome.number], outcome.again

        search_rules = replace(self.prepared.search_rules, packs=self._in_packs())
        return restore_search(self.prepared.space, search_rules, self.state, before), untold

    def _in_packs(self) -> bool:
        """Return whether workers may train several trials at once."""
        run = self.prepared.config.run
        if run.pack == "auto":
            return self.executor.device(run.device) != "cpu"
        return run.pack > 1

    def _retention(self) -> Retention:
        config = self.prepared.config
        keep = max(config.retention.checkpoints, config.finalists.count)
        retention = Retention(self.folder, keep, self.prepared.goal.cost)
        retention.restore(self.state)
        return retention

    def _worker_settings(self) -> WorkerSettings:
        run = self.prepared.config.run
        folder = str((self.folder / CHECKPOINTS).resolve())
        device = self.executor.device(run.device)
        return WorkerSettings(
            objective=self.prepared.goal.leading,
            checkpoint_folder=folder,
            checkpoint_seconds=run.checkpoint_seconds,
            threads=run.threads,
            device=device,
            pack=0 if run.pack == "auto" and device != "cpu" else pack_size(self.prepared.config),
            backend=run.backend,
            sweep_uid=self.log.uid(),
        )

    def _stop_flag(self, fleet: Fleet) -> StopFlag:
        budget, state, gpus = self.prepared.config.budget, self.state, self.executor.gpus()
        left = None if budget.hours is None else budget.hours * 3600 - state.wall_seconds
        gpu_left = None if budget.gpu_hours is None else budget.gpu_hours * 3600 - state.gpu_seconds

        def asked() -> str | None:
            if self.log.stop_requested(self.lease.fence):
                return "stopped"
            spent = gpu_left is not None and gpus * fleet.worker_seconds >= gpu_left
            return "budget" if spent else None

        return StopFlag(left, asked)

    def _finalists(self) -> list[int]:
        if self.prepared.data.test is None:
            return []
        best = self._best(self.prepared.config.finalists.count)
        return [n for n in best if self._is_there(n)]

    def _best(self, count: int) -> list[int]:
        trials = ranked(self.state.trials.values(), self.prepared.goal)
        return [trial.number for trial in trials[:count]]

    def _is_there(self, number: int) -> bool:
        """Return whether a trial's weights are still on disk; they may have gone with a disk."""
        recorded = self.state.trials[number].checkpoint
        return recorded is not None and checkpoint_path(self.folder, recorded).is_file()

    def _close(self, reason: str, coordinator: Coordinator, fleet: Fleet, workers: int) -> None:
        closed = Closed(
            reason=reason,
            busy_seconds=coordinator.clock.busy_seconds,
            wall_seconds=time.time() - coordinator.clock.began,
            workers=workers,
            gpu_seconds=self.executor.gpus() * fleet.worker_seconds,
        )
        self._append([Event(closed)])


def _open_existing(
    config: SweepConfig, folder: Path, stack: ExitStack
) -> tuple[EventLog | None, Lease | None]:
    """Open the sweep's log where there is one, and refuse another configuration."""
    if not has_log(folder):
        probe(folder, config)
        return None, None
    return _claim(config, folder, stack)


def _claim(config: SweepConfig, folder: Path, stack: ExitStack) -> tuple[EventLog, Lease]:
    """Open or create the log and take its lease.

    A coordinator may be killed between any two steps of this, and a second one may do the same at
    the same time: whatever is missing is made, whatever is there is checked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = create_log(folder, config)
    stack.callback(log.close)
    lease = stack.enter_context(Lease.acquire(log, folder))
    recorded = adopt(log, folder, config.model_dump(mode="json"))
    if recorded is None:
        return log, lease
    changed = difference(identity(recorded), identity(config))
    if changed:
        raise ConfigMismatch(
            f"{folder} belongs to another configuration ({'; '.join(changed)}); resume with the "
            "old one, or give this sweep another --name."
        )
    log.replace_config(config.model_dump(mode="json"))
    return log, lease


def _check_data(prepared: Prepared, state: SweepState) -> None:
    first = state.first_opened
    if first is not None and first.data.digest != prepared.data.digest:
        raise ConfigMismatch(
            f"a resumed sweep needs the data it began with (digest {first.data.digest[:12]}), but "
            f"these have digest {prepared.data.digest[:12]}; restore the data, or give this sweep "
            "another --name."
        )


__all__ = ["LeaseLost", "Outcome", "run_sweep"]
