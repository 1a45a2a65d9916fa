"""The log folded: what is known of every trial, as a pure function of the events."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sweep.history.rungs import RungRecord
from sweep.log.events import Event, EventLog, Kind


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
        reports: Payloads of `reported` events by epoch; kept only where asked for.
        best: Validation metrics of the best epoch.
        values: One value per objective, once the trial has ended.
        cleared: Highest epoch at which a rung let the trial go on.
        deaths: Attempts in a row whose worker died, by this trial's fault, before it got further.
        suspect: Whether it was among several trials one of which has killed their worker.
        index: Place among the trials that the search has asked for; -1 for any other.
        of: The trial that this one repeats (an audit, a replicate), or None.
        lead: The trial whose structure a pack was asked to follow; its own number for a free ask.
        bracket: Which trials a rung judges it against: those of the same bracket.
        generation: The cohort whose judgement sent the trial on last; None before a promotion.
        first_pause: How it stood when a rung paused it first; None if none did.
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
    reports: dict[int, dict[str, Any]] | None = None
    best: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
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
        metric: The first objective's validation metric; its curve is kept for every trial.
        sign: 1 where it is minimised, -1 where it is maximised.
        keep_reports: Keep every epoch's metrics (results, sinks) instead of the curve alone.
        trials: All trials by number; `active` holds those that train or wait for a worker.
        paused: Trials that a rung has paused; a later judgement may promote them.
        searched: How many trials the search has been asked for: audits and replicates don't count.
        followers: By lead, how many trials share its structure by being asked so, itself included.
        wall_seconds: Wall time of the sessions that are over.
        gpu_seconds: GPUs x seconds that their workers held.
        rungs: By bracket and epoch, the best values so far (to be minimised) of the trials that
            went on from there, were paused or stopped there or ended there.
    """

    metric: str | None = None
    sign: float = 1.0
    keep_reports: bool = False
    trials: dict[int, TrialState] = field(default_factory=dict)
    active: dict[int, TrialState] = field(default_factory=dict)
    paused: dict[int, TrialState] = field(default_factory=dict)
    searched: int = 0
    followers: dict[int, int] = field(default_factory=dict)
    rungs: dict[tuple[int, int], RungRecord] = field(default_factory=dict)
    warmed: list[Event] = field(default_factory=list)
    seq: int = 0
    open: bool = False
    opened: dict[str, Any] = field(default_factory=dict)
    first_opened: dict[str, Any] = field(default_factory=dict)
    closed: dict[str, Any] = field(default_factory=dict)
    opened_at: float | None = None
    last_event_at: float | None = None
    busy_seconds: float = 0.0
    wall_seconds: float = 0.0
    gpu_seconds: float = 0.0
    _held: int = field(default=0, init=False)
    _held_since: float = field(default=0.0, init=False)
    _held_seconds: float = field(default=0.0, init=False)

    def apply(self, event: Event) -> None:
        """Fold one event; events must come in the order of the log."""
        if event.kind is Kind.OPENED and self.open:
            self._add_session({})  # the coordinator before was killed: it never said `closed`
        self.seq = event.seq
        self.last_event_at = event.time
        if event.trial is None:
            self._apply_sweep(event)
        elif event.kind is Kind.ASKED:
            self._ask(event)
        else:
            _APPLY[event.kind](self, self.trials[event.trial], event)

    def _apply_sweep(self, event: Event) -> None:
        if event.kind is Kind.OPENED:
            self.open, self.opened, self.opened_at = True, event.payload, event.time
            self.first_opened = self.first_opened or event.payload
            self._held = 0 if event.payload.get("elastic") else event.payload.get("workers", 0)
            self._held_since, self._held_seconds = event.time, 0.0
        elif event.kind is Kind.RESIZED:
            self._hold(event.payload["workers"], event.time)
        elif event.kind is Kind.CLOSED:
            self._add_session(event.payload)
            self.open, self.closed = False, event.payload
        elif event.kind is Kind.WARMED:
            self.warmed.append(event)

    def _add_session(self, closed: dict[str, Any]) -> None:
        last = self.last_event_at or 0.0
        self.wall_seconds += last - (self.opened_at or 0.0)
        self._hold(0, last)
        held_seconds = self._held_seconds * self.opened.get("gpus", 0)
        self.gpu_seconds += closed.get("gpu_seconds", held_seconds)

    def _hold(self, workers: int, now: float) -> None:
        """Have so many workers from now on."""
        self._held_seconds += self._held * (now - self._held_since)
        self._held, self._held_since = workers, now

    def _ask(self, event: Event) -> None:
        assert event.trial is not None
        payload = event.payload
        trial = TrialState(
            number=event.trial,
            uid=payload["uid"],
            params=payload["params"],
            config=payload["config"],
            seed=payload["seed"],
            source=payload["source"],
            asked_at=event.time,
            reports={} if self.keep_reports else None,
            max_epochs=payload["config"].get("max_epochs", 0),
            of=payload.get("of"),
            lead=payload.get("lead", event.trial),
            bracket=payload.get("bracket", 0),
        )
        if trial.of is None:
            trial.index = self.searched
            self.searched += 1
            self.followers[trial.lead] = self.followers.get(trial.lead, 0) + 1
        self.trials[trial.number] = self.active[trial.number] = trial

    def _start(self, trial: TrialState, event: Event) -> None:
        trial.state = Standing.RUNNING
        trial.attempt = event.attempt or 0
        trial.worker = event.payload["worker"]
        trial.started_at = trial.started_at or event.time
        from_epoch = event.payload["from_epoch"]
        trial.epoch = trial.checkpoint_epoch = from_epoch
        trial.checkpoint = event.payload["checkpoint"]
        if trial.reports is not None:
            trial.reports = {e: r for e, r in trial.reports.items() if e <= from_epoch}

    def _report(self, trial: TrialState, event: Event) -> None:
        payload = event.payload
        trial.epoch = event.epoch or 0
        trial.best, trial.best_epoch = payload["best"], payload["best_epoch"]
        trial.parameters = payload.get("parameters", 0)
        trial.train_seconds += payload["train_seconds"]
        self.busy_seconds += payload["train_seconds"]
        value = payload["validation"].get(self.metric, float("nan"))
        if trial.epoch > len(trial.curve):
            trial.deaths, trial.suspect = 0, False
        # An attempt after a crash repeats epochs whose rungs are decided: the curve stays whole.
        trial.curve[trial.epoch - 1 : trial.epoch] = array("d", [value])
        if trial.reports is not None:
            trial.reports[trial.epoch] = {**payload, "time": event.time}

    def _checkpoint(self, trial: TrialState, event: Event) -> None:
        trial.checkpoint, trial.checkpoint_epoch = event.payload["path"], event.epoch or 0
        trial.deaths, trial.suspect = 0, False

    def _continue(self, trial: TrialState, event: Event) -> None:
        trial.cleared = max(trial.cleared, event.epoch or 0)
        rung = self._enter_rung(trial, event.epoch or 0)
        if event.payload.get("promoted"):
            rung.release(trial.number)
            del self.paused[trial.number]
            self.active[trial.number] = trial
            trial.state = Standing.WAITING
            trial.generation = event.payload.get("generation", 0)

    def _pause(self, trial: TrialState, event: Event) -> None:
        trial.state, trial.deaths, trial.suspect = Standing.PAUSED, 0, False
        trial.values = tuple(event.payload["values"])
        trial.first_pause = trial.first_pause or Pause(trial.epoch, trial.values, dict(trial.best))
        self._enter_rung(trial, event.epoch or 0).pause(trial.number)
        del self.active[trial.number]
        self.paused[trial.number] = trial

    def _enter_rung(self, trial: TrialState, epoch: int) -> RungRecord:
        rung = self.rungs.setdefault((trial.bracket, epoch), RungRecord())
        if trial.of is None:
            rung.enter(trial.number, trial.best_at(epoch, self.sign))
        return rung

    def _lose(self, trial: TrialState, event: Event) -> None:
        if trial.ended:  # its last words and its worker's death came at once, in a log of old
            return
        trial.state = Standing.WAITING
        if event.payload.get("anew"):
            trial.checkpoint, trial.checkpoint_epoch = None, 0
        if event.payload.get("worker_died", False):
            trial.suspect = True
            trial.deaths += event.payload.get("suspects", 1) == 1
            trial.message = event.payload["reason"]

    def _end(self, trial: TrialState, event: Event) -> None:
        payload = event.payload
        trial.state = _END_STATES[event.kind]
        rung = self._enter_rung(trial, len(trial.curve))
        self.active.pop(trial.number, None)
        if self.paused.pop(trial.number, None) is not None:
            rung.release(trial.number)
        trial.ended_at = event.time
        trial.values = tuple(payload.get("values", ()))
        trial.best = payload.get("best", trial.best)
        trial.best_epoch = payload.get("best_epoch", trial.best_epoch)
        trial.reason = payload.get("reason", "")
        trial.message = payload.get("message", "")
        trial.parameters = payload.get("parameters", trial.parameters)
        trial.checkpoint = payload.get("checkpoint", trial.checkpoint)
        if not self.keep_reports:
            trial.config = {}  # the checkpoint holds it; 10,000 ended trials must stay small

    def _evaluate(self, trial: TrialState, event: Event) -> None:
        trial.test = event.payload["test"]


_END_STATES = {
    Kind.PRUNED: Standing.PRUNED,
    Kind.COMPLETED: Standing.COMPLETE,
    Kind.FAILED: Standing.FAILED,
}
_APPLY = {
    Kind.STARTED: SweepState._start,
    Kind.REPORTED: SweepState._report,
    Kind.CHECKPOINTED: SweepState._checkpoint,
    Kind.CONTINUED: SweepState._continue,
    Kind.PAUSED: SweepState._pause,
    Kind.LOST: SweepState._lose,
    Kind.PRUNED: SweepState._end,
    Kind.COMPLETED: SweepState._end,
    Kind.FAILED: SweepState._end,
    Kind.EVALUATED: SweepState._evaluate,
}


def load_state(
    log: EventLog, *, metric: str | None = None, sign: float = 1.0, keep_reports: bool = True
) -> SweepState:
    """Fold a whole log as it is committed now; arguments as `SweepState` has them."""
    state = SweepState(metric=metric, sign=sign, keep_reports=keep_reports)
    for event in log.read():
        state.apply(event)
    return state
