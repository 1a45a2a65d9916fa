"""What MLflow shall hold, folded from the event log: pure, knows nothing of mlflow.

`SinkFold.apply` takes events in the log's order, `SinkFold.take` hands out what is to be written
since the last call, as `RunWrite`s: the sweep's own run first, then its trials'. What is written
depends on the events alone, never on where the calls to `take` fall between them, so a sink that
dies and reads a part of the log again writes the same once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweep.history.baselines import best_naive, skill
from sweep.history.goal import Goal
from sweep.history.ledger import LedgerFold
from sweep.log import kinds
from sweep.log.event import Event
from sweep.tracking.of_sweep import (
    baseline_metrics,
    data_params,
    data_parts,
    opened_tags,
    sweep_params,
    whole_data,
)
from sweep.tracking.of_trial import TrialRun
from sweep.tracking.run import (
    DataPart,
    PendingRun,
    Point,
    RunWrite,
    Status,
    milliseconds,
    numbers,
    text,
)

_CLOSED_STATUS = {
    "finished": Status.FINISHED,
    "budget": Status.FINISHED,
    "interrupted": Status.KILLED,
    "error": Status.FAILED,
}


@dataclass(frozen=True)
class SweepFacts:
    """What the sink knows of a sweep before its first event.

    Attributes:
        uid: The sweep's unique id.
        config: The sweep file as plain values (see `sweep.config.sections`).
    """

    uid: str
    name: str
    config: Mapping[str, Any]

    def fixed_settings(self) -> frozenset[str] | None:
        """Return the settings that the sweep file names, or None if its space is conditional.

        Ready spaces are flat: every trial samples every dimension. A function's trials may differ.
        """
        space = self.config.get("space", {})
        if ":" in (space.get("base") or ""):
            return None
        return frozenset(self.config.get("train", {})) | frozenset(space.get("parameters", {}))


@dataclass
class SinkFold:
    """The fold from events to runs: one for the sweep, one for each trial."""

    facts: SweepFacts
    parent: PendingRun = field(init=False)
    trials: dict[int, TrialRun] = field(default_factory=dict)
    closed_seq: int = 0
    opened: kinds.Opened | None = None
    seq: int = 0
    last_ms: int = 0
    _ledger: LedgerFold = field(default_factory=LedgerFold)
    _sessions: int = 0
    _data: tuple[DataPart, ...] = ()
    _live: dict[int, TrialRun] = field(default_factory=dict)
    _ended: dict[str, int] = field(default_factory=dict)
    _best: tuple[float, int] | None = None
    _fixed: frozenset[str] | None = None
    _baselines: kinds.Baselined | None = None

    def __post_init__(self) -> None:
        self._fixed = self.facts.fixed_settings()
        self.parent = PendingRun(self.facts.uid, self.facts.name, is_parent=True)
        self.parent.tags.update(
            {"sweep.kind": "sweep", "sweep.uid": self.facts.uid, "sweep.name": self.facts.name}
        )
        self.parent.params.update(sweep_params(self.facts.config))

    def apply(self, event: Event) -> None:
        """Fold one event."""
        self.seq, self.last_ms = event.seq, milliseconds(event.time)
        self._ledger.apply(event)
        if self.parent.start_ms is None:
            self.parent.start_ms = milliseconds(event.time)
            self.parent.dirty = True
        match event.what:
            case kinds.Opened() as opened:
                self._open(opened)
            case kinds.Closed() as closed:
                self._close(event, closed)
            case kinds.Ensembled() as ensembled:
                self._ensemble(ensembled)
            case kinds.Baselined() as baselines:
                self._baseline(event, baselines)
            case kinds.Asked() as asked if event.trial is not None:
                facts = self.facts
                trial = TrialRun.asked(event, asked, facts.uid, facts.name, self._fixed)
                self.trials[event.trial] = self._live[event.trial] = trial
            case _ if event.trial is not None:
                self._apply_trial(self.trials[event.trial], event)

    def take(self, created_before_ms: float = float("inf")) -> list[RunWrite]:
        """Return what is to be written now, and count it as written.

        Args:
            created_before_ms: Runs that began later and have no metric yet are held back: most
                short trials then reach MLflow in one piece.
        """
        writes = [self.parent.take()] if self.parent.dirty else []
        for number, trial in list(self._live.items()):
            if not trial.run.dirty or trial.is_fresh(created_before_ms):
                continue
            writes.append(trial.take())
            if trial.ended:
                del self._live[number]
        return writes

    def settle(self) -> None:
        """Count everything folded so far as written, as far as it can't be half-written.

        Called once after a restart, at the committed offset: points and ends up to there are in
        MLflow. Names of runs that still live are told again, because a run may have been held back.
        """
        self.take()
        self.parent.repeat()
        for trial in self._live.values():
            trial.run.repeat()

    def abandoned(self) -> list[RunWrite]:
        """Return what ends the runs that a killed coordinator left open; nothing if it closed."""
        if self.closed_seq or self.opened is None:
            return []
        live = [trial.run for trial in self._live.values() if trial.is_running()]
        return [run.abandoned(self.last_ms) for run in (self.parent, *live)]

    def load(self, values: Mapping[str, float], now_ms: int) -> list[RunWrite]:
        """Return how busy the machine is, for the sweep's run, once that is written."""
        if not self.parent.told or self.parent.start_ms is None:
            return []
        second = (now_ms - self.parent.start_ms) // 1000
        points = [Point(key, value, now_ms, second) for key, value in numbers(values).items()]
        return [self.parent.aside(points)] if points else []

    # -- the sweep's own events --------------------------------------------------------------

    def _open(self, opened: kinds.Opened) -> None:
        self.closed_seq = 0
        self._sessions += 1
        if self.opened is None:  # MLflow's params are final: the first session's hold
            self.parent.params.update(data_params(opened.data))
            self._data = whole_data(opened.data, self.facts.config)
            self.parent.link((*data_parts(opened.data, self.facts.config), *self._data))
        self.opened = opened
        self.parent.tag({"state": "running", **opened_tags(opened)})
        self.parent.reopen()

    def _close(self, event: Event, closed: kinds.Closed) -> None:
        self.closed_seq = event.seq
        reason = closed.reason
        finished = reason == "finished"
        for trial in self._live.values():
            trial.leave_open(event, paused=finished, objectives=self._metrics())
        tags = {f"trials.{state}": text(count) for state, count in self._ended.items()}
        tags["busy_seconds"] = text(closed.busy_seconds)
        tags["wall_seconds"] = text(closed.wall_seconds)
        self.parent.tag({"state": reason, **tags})
        spent = numbers(self._ledger.ledger().metrics())
        self.parent.add(Point(k, v, self.last_ms, self._sessions) for k, v in spent.items())
        self.parent.end(_CLOSED_STATUS.get(reason, Status.FAILED), self.last_ms)

    def _ensemble(self, ensembled: kinds.Ensembled) -> None:
        """Tell what the finalists say together."""
        taken = ensembled.taken
        if not taken:
            return
        parts = {"val": ensembled.validation, "test": ensembled.test}
        told = {
            f"ensemble/{part}/{name}": value
            for part, found in parts.items()
            for name, value in numbers(found).items()
        }
        self.parent.add(Point(k, v, self.last_ms, self._sessions) for k, v in told.items())
        members = ", ".join(f"{number} x {count}" for number, count in taken.items())
        self.parent.tag({"ensemble": members, "ensemble.better": text(ensembled.better)})

    def _baseline(self, event: Event, baselines: kinds.Baselined) -> None:
        """Tell of the naive forecasts, once; and of the skill of what they were waited for."""
        if self._baselines is not None:
            return
        self._baselines, when = baselines, milliseconds(event.time)
        found = numbers(baseline_metrics(baselines))
        self.parent.add(Point(name, value, when, 0) for name, value in found.items())
        self._tell_skill(event)
        for trial in self.trials.values():
            trial.compare(event, self._goal().leading, baselines)
            if trial.run.dirty:
                self._live[trial.number] = trial

    def _tell_skill(self, event: Event) -> None:
        """Tell the sweep's run of the best trial's skill, where there is one."""
        leading = self._goal().leading
        if self._best is None or self._baselines is None:
            return
        value = leading.sign * self._best[0]
        found = numbers({"skill": skill(leading, value, best_naive(self._baselines, leading))})
        step, when = sum(self._ended.values()), milliseconds(event.time)
        self.parent.add(Point(name, own, when, step) for name, own in found.items())

    # -- a trial's events --------------------------------------------------------------------

    def _apply_trial(self, trial: TrialRun, event: Event) -> None:
        if trial.is_stale(event):
            return
        match event.what:
            case kinds.Reported() as report:
                trial.report(event, report)
            case kinds.Checkpointed():
                trial.cover(event.epoch or 0)
            case kinds.Started() as start:
                trial.start(event, start)
            case kinds.Completed() | kinds.Pruned() | kinds.Failed() as end:
                self._end(trial, event, end)
            case kinds.Paused() as pause:
                trial.pause(event, pause, self._metrics())
            case kinds.Recalled():
                self._ended["pruned"] = max(self._ended.get("pruned", 0) - trial.ended, 0)
                trial.recall()
                self._live[trial.number] = trial
            case kinds.Evaluated(test):
                leading = self._goal().leading
                trial.evaluate(event, test)
                trial.tested = test.get(leading.metric)
                trial.compare(event, leading, self._baselines)
                trial.run.link(self._data)
                self._live[trial.number] = trial

    def _end(self, trial: TrialRun, event: Event, end: kinds.End) -> None:
        state = trial.end(event, end, self._metrics())
        self._ended[state] = self._ended.get(state, 0) + 1
        told = dict(zip(self._goal().objectives, getattr(end, "values", ()), strict=False))
        trial.judged = told.get(self._goal().leading)
        if isinstance(end, kinds.Completed) and not trial.is_replicate:
            self._compare(trial, event, end)

    def _compare(self, trial: TrialRun, event: Event, end: kinds.Completed) -> None:
        """Tell the sweep's run of a trial that beats all before, by the leading objective."""
        goal = self._goal()
        told = dict(zip(goal.objectives, end.values, strict=False))
        if not told or not goal.feasible(trial.best, end.parameters):
            return
        values = numbers({"objective": told.get(goal.leading)})
        rank = (goal.leading.cost(values.get("objective")), trial.number)
        if not values or (self._best is not None and rank > self._best):
            return
        self._best = rank
        step, when = sum(self._ended.values()), milliseconds(event.time)
        best = {f"best/{name}": number for name, number in numbers(trial.best).items()}
        self.parent.add([Point(name, v, when, step) for name, v in (values | best).items()])
        self.parent.tag({"best_trial": str(trial.number)})
        self._tell_skill(event)

    def _goal(self) -> Goal:
        # `opened` states the objectives that a sweep file may leave to the data's task.
        search = self.facts.config.get("search", {})
        given = (self.opened and self.opened.objectives) or search.get("objectives") or ()
        return Goal.read(given, search.get("constraints") or ())

    def _metrics(self) -> list[str]:
        return [objective.metric for objective in self._goal().objectives]
