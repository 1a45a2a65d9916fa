"""The log folded: what is known of every trial, as a pure function of the events."""

from __future__ import annotations

import math
import sys
from array import array
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sweep.history.rungs import RungRecord
from sweep.log import kinds
from sweep.log.event import Event
from sweep.log.event_log import EventLog
from trainers.config.objective import Objective


class Standing(StrEnum):
    """Where a trial stands."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


ENDED = frozenset({Standing.COMPLETE, Standing.PRUNED, Standing.FAILED})


@dataclass(frozen=True, slots=True)
class Pause:
    """How a trial stood when a rung paused it first."""

    epoch: int
    values: tuple[float, ...]
    best: dict[str, float]


@dataclass(slots=True)
class TrialState:
    """One trial, as the log knows it.

    Attributes:
        attempt: The latest attempt; 0 before the first.
        epoch: Epochs done by the attempt that stands.
        curve: First objective's validation metric by epoch (epoch 1 first).
        reports: What was reported, by epoch; kept only where asked for.
        best: Validation metrics of the best epoch.
        folds: The same of each fold, where the data have several.
        values: One value per objective, once the trial has ended.
        cleared: Highest epoch at which a rung let the trial go on.
        deaths: Attempts in a row whose worker died, by this trial's fault, before it got further.
        suspect: Whether it was among several trials one of which has killed their worker.
        index: Place among the trials that the search has asked for; -1 for any other.
        of: The trial that this one repeats (an audit, a replicate), or None.
        lead: The trial whose structure a pack was asked to follow; its own number for a free ask.
        bracket: Which trials a rung judges it against: those of the same bracket.
        generation: The cohort whose judgement sent the trial on last; None before a promotion.
        first_pause: How it stood when a rung paused it first, or had ended it before it was
            recalled; None if neither happened.
        recalled: The rung from which it was sent on when the search was over, to be a finalist; 0
            where it was not.
    """

    number: int
    uid: str
    params: dict[str, Any]
    config: dict[str, Any]
    seed: int
    source: str
    asked_at: float
    state: Standing = Standing.WAITING
    attempt: int = 0
    epoch: int = 0
    curve: array[float] = field(default_factory=lambda: array("d"))
    reports: dict[int, kinds.Reported] | None = None
    best: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    folds: tuple[dict[str, float], ...] = ()
    values: tuple[float, ...] = ()
    test: dict[str, float] = field(default_factory=dict)
    cleared: int = 0
    deaths: int = 0
    suspect: bool = False
    checkpoint: str | None = None
    checkpoint_epoch: int = 0
    worker: str = ""
    reason: str = ""
    message: str = ""
    parameters: int = 0
    train_seconds: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    max_epochs: int = 0
    index: int = -1
    of: int | None = None
    lead: int = 0
    bracket: int = 0
    generation: int | None = None
    first_pause: Pause | None = None
    recalled: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to this trial's training."""
        return self.state in ENDED

    def best_at(self, epoch: int, sign: float) -> float:
        """Return the best value up to `epoch`, to be minimised; NaN counts as worst."""
        values = (sign * value for value in self.curve[:epoch] if not math.isnan(value))
        return min(values, default=math.inf)

    @property
    def diverged(self) -> bool:
        """Whether the trial failed because its loss or gradient was not finite."""
        return self.state is Standing.FAILED and self.reason == "diverged"


@dataclass
class SweepState:
    """All trials, folded from the log.

    Args:
        objective: The leading one; its validation metric's curve is kept for every trial.
        keep_reports: Keep every epoch's metrics (results, sinks) instead of the curve alone.
        trials: All trials by number; `active` holds those that train or wait for a worker.
        paused: Trials that a rung has paused; a later judgement may promote them.
        searched: How many trials the search has been asked for: audits and replicates don't count.
        followers: By lead, how many trials share its structure by being asked so, itself included.
        wall_seconds: Wall time of the sessions that are over.
        gpu_seconds: GPUs x seconds that their workers held.
        warmed: What the sampler knows from earlier sweeps, in order.
        opened: What the last session said of itself; None before the first.
        first_opened: What the first session said of itself.
        closed: How the last session that was closed ended.
        baselines: The naive forecasts, once they are there.
        ensembled: What came of combining the finalists last; None where nobody has.
        rungs: By bracket and epoch, the best values so far (to be minimised) of the trials that
            went on from there, were paused or stopped there or ended there.
    """

    objective: Objective | None = None
    keep_reports: bool = False
    trials: dict[int, TrialState] = field(default_factory=dict)
    active: dict[int, TrialState] = field(default_factory=dict)
    paused: dict[int, TrialState] = field(default_factory=dict)
    searched: int = 0
    followers: dict[int, int] = field(default_factory=dict)
    rungs: dict[tuple[int, int], RungRecord] = field(default_factory=dict)
    warmed: list[kinds.Warmed] = field(default_factory=list)
    seq: int = 0
    open: bool = False
    opened: kinds.Opened | None = None
    first_opened: kinds.Opened | None = None
    closed: kinds.Closed | None = None
    baselines: kinds.Baselined | None = None
    ensembled: kinds.Ensembled | None = None
    opened_at: float | None = None
    last_event_at: float | None = None
    busy_seconds: float = 0.0
    wall_seconds: float = 0.0
    gpu_seconds: float = 0.0
    _held: int = field(default=0, init=False)
    _held_since: float = field(default=0.0, init=False)
    _held_seconds: float = field(default=0.0, init=False)

    @property
    def sign(self) -> float:
        """The leading objective's sign: curves times it are to be minimised."""
        return 1.0 if self.objective is None else self.objective.sign

    def apply(self, event: Event) -> None:
        """Fold one event; events must come in the order of the log."""
        if isinstance(event.what, kinds.Opened) and self.open:
            self._add_session(None)  # the coordinator before was killed: it never said `closed`
        self.seq = event.seq
        self.last_event_at = event.time
        if event.trial is None:
            self._apply_sweep(event)
        elif isinstance(event.what, kinds.Asked):
            self._ask(event.trial, event.what, event.time)
        else:
            self._apply_trial(self.trials[event.trial], event)

    def _apply_sweep(self, event: Event) -> None:
        match event.what:
            case kinds.Opened() as opened:
                self.open, self.opened, self.opened_at = True, opened, event.time
                self.first_opened = self.first_opened or opened
                self._held = 0 if opened.elastic else opened.workers
                self._held_since, self._held_seconds = event.time, 0.0
            case kinds.Resized(workers):
                self._hold(workers, event.time)
            case kinds.Closed() as closed:
                self._add_session(closed.gpu_seconds)
                self.open, self.closed = False, closed
            case kinds.Warmed() as warmed:
                self.warmed.append(warmed)
            case kinds.Baselined() as baselines:
                self.baselines = self.baselines or baselines
            case kinds.Ensembled() as ensembled:
                self.ensembled = ensembled

    def _apply_trial(self, trial: TrialState, event: Event) -> None:
        epoch = event.epoch or 0
        match event.what:
            case kinds.Reported() as report:
                self._report(trial, report, epoch)
            case kinds.Checkpointed(path):
                trial.checkpoint, trial.checkpoint_epoch = path, epoch
                trial.deaths, trial.suspect = 0, False
            case kinds.Started() as start:
                trial.attempt = event.attempt or 0
                trial.started_at = trial.started_at or event.time
                _started(trial, start)
            case kinds.Continued() as verdict:
                self._continue(trial, verdict, epoch)
            case kinds.Recalled() as recall:
                self._recall(trial, recall, epoch)
            case kinds.Paused() as pause:
                self._pause(trial, pause, epoch)
            case kinds.Completed() | kinds.Pruned() | kinds.Failed() as end:
                self._end(trial, end, event.time)
            case kinds.Lost() as loss:
                _lost(trial, loss)
            case kinds.Evaluated(test):
                trial.test = test

    def _add_session(self, gpu_seconds: float | None) -> None:
        last = self.last_event_at or 0.0
        self.wall_seconds += last - (self.opened_at or 0.0)
        self._hold(0, last)
        if gpu_seconds is None:
            gpu_seconds = self._held_seconds * (self.opened.gpus if self.opened else 0.0)
        self.gpu_seconds += gpu_seconds

    def _hold(self, workers: int, now: float) -> None:
        """Have so many workers from now on."""
        self._held_seconds += self._held * (now - self._held_since)
        self._held, self._held_since = workers, now

    def _ask(self, number: int, asked: kinds.Asked, when: float) -> None:
        trial = TrialState(
            number=number,
            uid=asked.uid,
            params=asked.params,
            config=asked.config,
            seed=asked.seed,
            source=asked.source,
            asked_at=when,
            reports={} if self.keep_reports else None,
            max_epochs=asked.config.get("max_epochs", 0),
            of=asked.of,
            lead=number if asked.lead is None else asked.lead,
            bracket=asked.bracket,
        )
        if trial.of is None:
            trial.index = self.searched
            self.searched += 1
            self.followers[trial.lead] = self.followers.get(trial.lead, 0) + 1
        self.trials[number] = self.active[number] = trial

    def _report(self, trial: TrialState, report: kinds.Reported, epoch: int) -> None:
        trial.epoch = epoch
        trial.best, trial.best_epoch = _slim(report.best), report.best_epoch
        if report.best_epoch == epoch:
            trial.folds = report.folds
        trial.parameters = report.parameters
        trial.train_seconds += report.train_seconds
        self.busy_seconds += report.train_seconds
        metric = self.objective.metric if self.objective else ""
        value = report.validation.get(metric, math.nan)
        if epoch > len(trial.curve):
            trial.deaths, trial.suspect = 0, False
        # An attempt after a crash repeats epochs whose rungs are decided: the curve stays whole.
        trial.curve[epoch - 1 : epoch] = array("d", [value])
        if trial.reports is not None:
            trial.reports[epoch] = report

    def _continue(self, trial: TrialState, verdict: kinds.Continued, epoch: int) -> None:
        trial.cleared = max(trial.cleared, epoch)
        rung = self._enter_rung(trial, epoch)
        if verdict.promoted:
            rung.release(trial.number)
            self._send_on(trial, verdict.generation or 0)

    def _recall(self, trial: TrialState, recall: kinds.Recalled, epoch: int) -> None:
        self._enter_rung(trial, len(trial.curve)).release(trial.number)
        self._send_on(trial, recall.generation)
        trial.first_pause = trial.first_pause or _stand(trial)
        trial.recalled, trial.ended_at = epoch, None
        trial.config = recall.config or trial.config

    def _send_on(self, trial: TrialState, generation: int) -> None:
        """Have a trial that was put aside wait for a worker."""
        self.paused.pop(trial.number, None)
        self.active[trial.number] = trial
        trial.state = Standing.WAITING
        trial.generation = generation

    def _pause(self, trial: TrialState, pause: kinds.Paused, epoch: int) -> None:
        trial.state, trial.deaths, trial.suspect = Standing.PAUSED, 0, False
        trial.values = pause.values
        trial.first_pause = trial.first_pause or _stand(trial)
        self._enter_rung(trial, epoch).pause(trial.number)
        del self.active[trial.number]
        self.paused[trial.number] = trial

    def _enter_rung(self, trial: TrialState, epoch: int) -> RungRecord:
        rung = self.rungs.setdefault((trial.bracket, epoch), RungRecord())
        if trial.of is None:
            rung.enter(trial.number, trial.best_at(epoch, self.sign))
        return rung

    def _end(self, trial: TrialState, end: kinds.End, when: float) -> None:
        rung = self._enter_rung(trial, len(trial.curve))
        self.active.pop(trial.number, None)
        if self.paused.pop(trial.number, None) is not None:
            rung.release(trial.number)
        trial.ended_at = when
        trial.state = _END_STATES[type(end)]
        _ended(trial, end)
        if not self.keep_reports:
            trial.config = {}  # the checkpoint holds it; 10,000 ended trials must stay small


def _stand(trial: TrialState) -> Pause:
    return Pause(trial.epoch, trial.values, dict(trial.best))


def _slim(metrics: dict[str, float]) -> dict[str, float]:
    """Return metrics whose names all trials share: they are many, and so are trials."""
    return {sys.intern(name): value for name, value in metrics.items()}


def _started(trial: TrialState, start: kinds.Started) -> None:
    trial.state, trial.worker = Standing.RUNNING, start.worker
    trial.epoch = trial.checkpoint_epoch = start.from_epoch
    trial.checkpoint = start.checkpoint
    if trial.reports is not None:
        trial.reports = {e: r for e, r in trial.reports.items() if e <= start.from_epoch}


def _lost(trial: TrialState, loss: kinds.Lost) -> None:
    if trial.ended:  # its last words and its worker's death came at once, in a log of old
        return
    trial.state = Standing.WAITING
    if loss.anew:
        trial.checkpoint, trial.checkpoint_epoch = None, 0
    if loss.worker_died:
        trial.suspect = True
        trial.deaths += loss.suspects in (1, None)
        trial.message = loss.reason


def _ended(trial: TrialState, end: kinds.End) -> None:
    trial.reason = trial.message = ""
    if isinstance(end, kinds.Failed):
        trial.reason, trial.message, trial.values = end.reason, end.message, ()
    else:
        trial.values = end.values
    if isinstance(end, kinds.Completed):
        trial.reason, trial.checkpoint = end.reason, end.checkpoint
    if end.best is not None:
        trial.best = _slim(end.best)
    if end.best_epoch is not None:
        trial.best_epoch = end.best_epoch
    if end.parameters is not None:
        trial.parameters = end.parameters


_END_STATES = {
    kinds.Completed: Standing.COMPLETE,
    kinds.Pruned: Standing.PRUNED,
    kinds.Failed: Standing.FAILED,
}


def load_state(
    log: EventLog, *, objective: Objective | None = None, keep_reports: bool = True
) -> SweepState:
    """Fold a whole log as it is committed now; arguments as `SweepState` has them."""
    state = SweepState(objective=objective, keep_reports=keep_reports)
    for event in log.read():
        state.apply(event)
    return state
