"""One trial's run, folded from the trial's events: what is certain enough to be shown.

A report counts once a checkpoint of the standing attempt covers its epoch, or the trial has
ended: until then the worker may die and the next attempt trains that epoch again. Each epoch is
handed out once, whatever a later attempt repeats.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweep.history.baselines import TEST, best_naive, skill
from sweep.history.curves import LossCurves
from sweep.log.event import Event
from sweep.log.kinds import (
    Asked,
    Baselined,
    Completed,
    End,
    Evaluated,
    Failed,
    Paused,
    Pruned,
    Recalled,
    Reported,
    Started,
)
from sweep.tracking.run import PendingRun, Point, RunWrite, Status, milliseconds, numbers, text
from trainers.config.objective import Objective
from trainers.config.settings import filled_in

_STATES = {Completed: "complete", Pruned: "pruned", Failed: "failed"}


@dataclass(slots=True)
class TrialRun:
    """One trial's run and the reports that nothing covers yet.

    Attributes:
        judged: The leading objective on validation, once the trial has ended.
        tested: The same on the test part, of a finalist.
    """

    number: int
    run: PendingRun
    attempt: int = 0
    epoch: int = 0
    best: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    ended: bool = False
    paused: bool = False
    repeats: int | None = None
    folds: tuple[Mapping[str, float], ...] = ()
    judged: float | None = None
    tested: float | None = None
    _evaluated: bool = False
    _skilled: bool = False
    _may_be_recalled: bool = False
    _covered: int = 0
    _best_told: list[Point] = field(default_factory=list)
    _waiting: dict[int, list[Point]] = field(default_factory=dict)
    _times_ms: dict[int, int] = field(default_factory=dict)
    _curves: LossCurves = field(default_factory=LossCurves)

    @classmethod
    def asked(
        cls,
        event: Event,
        asked: Asked,
        sweep_uid: str,
        sweep_name: str,
        fixed: Collection[str] | None,
    ) -> TrialRun:
        """Begin the run of a trial that was just asked; `fixed` as `trial_params` takes it."""
        assert event.trial is not None
        run = PendingRun(
            asked.uid,
            f"{sweep_name}-{event.trial}",
            asked_seq=event.seq,
            params=trial_params(asked.params, asked.config, fixed),
            tags={
                "sweep.uid": sweep_uid,
                "sweep.trial_uid": asked.uid,
                "sweep.trial": str(event.trial),
                "cell": text(asked.config.get("cell")),
                "seed": text(asked.seed),
                "diverged": "false",
                "sweep.source": asked.source,
                **({} if asked.of is None else {"sweep.of": text(asked.of)}),
            },
        )
        return cls(event.trial, run, repeats=asked.of)

    def is_stale(self, event: Event) -> bool:
        """Whether the event comes too late: its attempt was given up, or the trial is over."""
        if self.ended:
            return not isinstance(event.what, Evaluated | Recalled)
        return event.attempt is not None and event.attempt < self.attempt

    def is_fresh(self, created_before_ms: float) -> bool:
        """Whether the run is new and nothing is lost by telling of it later."""
        began = self.run.start_ms or 0
        held = not (self.run.told or self.run.has_points() or self.run.has_ended())
        return held and began >= created_before_ms

    def is_running(self) -> bool:
        """Whether an attempt at the trial has begun and nothing has ended it."""
        return self.attempt > 0 and not (self.ended or self.paused)

    @property
    def is_replicate(self) -> bool:
        """Whether the trial repeats a finalist with another seed; such trials are not ranked."""
        return self.run.tags.get("sweep.source") == "replicate"

    def take(self) -> RunWrite:
        """Return what waits, and count it as written."""
        write = self.run.take()
        if self.ended:
            self.run.shrink()
        if self.ended and not self._may_be_recalled:
            self._times_ms, self.best, self._curves = {}, {}, LossCurves()
            self.folds = ()
            self._best_told = []
        return write

    # -- events ------------------------------------------------------------------------------

    def start(self, event: Event, start: Started) -> None:
        """A new attempt: what the last one reported after its starting point never happened."""
        from_epoch = start.from_epoch
        self.attempt, self.epoch = event.attempt or 0, from_epoch
        self.paused = False
        self._curves.apply(event)
        self._waiting = {e: points for e, points in self._waiting.items() if e <= from_epoch}
        kept = max(from_epoch, self._covered)
        self._times_ms = {e: when for e, when in self._times_ms.items() if e <= kept}
        if self.run.start_ms is None:
            self.run.start_ms = milliseconds(event.time)
        self.run.tag({"state": "running", "attempt": str(self.attempt), "worker": start.worker})
        self.run.reopen()

    def report(self, event: Event, report: Reported) -> None:
        """An epoch is done: keep its metrics until something covers them."""
        self.epoch = epoch = event.epoch or 0
        self._curves.apply(event)
        self.best, self.best_epoch = report.best, report.best_epoch
        if report.best_epoch == epoch:
            self.folds = report.folds
        if epoch <= self._covered or epoch in self._waiting:
            return
        when = milliseconds(event.time)
        self._times_ms[epoch] = when
        self._waiting[epoch] = [
            Point(key, value, when, epoch) for key, value in _epoch_values(report).items()
        ]

    def cover(self, epoch: int) -> None:
        """Epochs up to this one can't be trained again: a checkpoint holds them, or the end."""
        for covered in sorted(e for e in self._waiting if e <= epoch):
            self.run.add(self._waiting.pop(covered))
            self._covered = covered

    def end(self, event: Event, end: End, objectives: Sequence[str]) -> str:
        """The trial is over: everything of the standing attempt counts. Return its state."""
        state, when = _STATES[type(end)], milliseconds(event.time)
        self._stand(when, end, objectives)
        if self.run.start_ms is None:
            self.run.start_ms = when
        failure = end if isinstance(end, Failed) else None
        diverged = failure is not None and failure.reason == "diverged"
        self.run.tag({"state": state, "diverged": text(diverged)})
        if isinstance(end, Completed) and (diagnosis := self._curves.judge()):
            self.run.tag({"sweep.diagnosis": diagnosis})
        if failure is not None and failure.message:
            self.run.tag({"failure": failure.message})
        self.run.end(Status.FINISHED if failure is None else Status.FAILED, when)
        self.ended, self._may_be_recalled = True, isinstance(end, Pruned)
        return state

    def pause(self, event: Event, pause: Paused, objectives: Sequence[str]) -> None:
        """A rung put the trial aside; a promotion goes on with it, the sweep's end prunes it."""
        when = milliseconds(event.time)
        self._stand(when, pause, objectives)
        self.run.tag({"state": "paused"})
        self.run.end(Status.FINISHED, when)
        self.paused = True

    def recall(self) -> None:
        """The search is over, and the trial goes on to be a finalist."""
        self.ended = self.paused = False

    def leave_open(self, event: Event, *, paused: bool, objectives: Sequence[str]) -> None:
        """The sweep closed over an unfinished trial: paused at a rung, or interrupted."""
        if self.ended or self.paused or self.attempt == 0:
            return
        when = milliseconds(event.time)
        if paused:
            known = {m: self.best[m] for m in objectives if m in self.best}
            self._tell_best(when, known)
            self.run.tag({"state": "paused"})
        self.run.end(Status.FINISHED if paused else Status.KILLED, when)

    def evaluate(self, event: Event, metrics: Mapping[str, float]) -> None:
        """A finalist's metrics on the test part, once."""
        if self._evaluated:
            return
        self._evaluated = True
        when = milliseconds(event.time)
        test = numbers(metrics)
        self.run.add([Point(f"test/{k}", v, when, self.best_epoch) for k, v in test.items()])
        if self.repeats is None:
            self.run.tag({"finalist": "true"})

    def compare(self, event: Event, objective: Objective, baselines: Baselined | None) -> None:
        """Tell a finalist's skill, once it is evaluated and there are naive forecasts."""
        if not self._evaluated or self._skilled or baselines is None:
            return
        self._skilled = True
        found = {
            "skill": skill(objective, self.judged, best_naive(baselines, objective)),
            "test/skill": skill(objective, self.tested, best_naive(baselines, objective, TEST)),
        }
        when = milliseconds(event.time)
        self.run.add([Point(k, v, when, self.best_epoch) for k, v in numbers(found).items()])

    def _stand(self, when: int, at: End | Paused, objectives: Sequence[str]) -> None:
        """Tell of everything up to a pause or the end."""
        self.cover(self.epoch)
        self.best, self.best_epoch = at.best or self.best, at.best_epoch or self.best_epoch
        values = () if isinstance(at, Failed) else at.values
        self._tell_best(when, dict(zip(objectives, values, strict=False)))

    def _tell_best(self, when: int, objectives: Mapping[str, Any]) -> None:
        # Dated by the epochs they come from: told again after a promotion, an unchanged best is
        # the same point to MLflow.
        best = {f"best/{name}": value for name, value in numbers(self.best).items()}
        for number, own in enumerate(self.folds):
            best |= {f"fold/{number}/{name}": value for name, value in numbers(own).items()}
        values = numbers(objectives)
        several = len(objectives) > 1
        best |= {f"objective/{m}" if several else "objective": v for m, v in values.items()}
        best_time = self._times_ms.get(self.best_epoch, when)
        points = [Point(key, value, best_time, self.best_epoch) for key, value in best.items()]
        epoch_time = self._times_ms.get(self.epoch, when)
        points.append(Point("epochs", float(self.epoch), epoch_time, self.epoch))
        self.run.add(point for point in points if point not in self._best_told)
        self._best_told = points


def trial_params(
    sampled: Mapping[str, Any], config: Mapping[str, Any], fixed: Collection[str] | None
) -> dict[str, str]:
    """Return a trial's params: what was sampled and what the sweep file fixed.

    Every trial of a sweep has the same keys, because MLflow's parallel coordinates drop runs that
    lack one. `fixed` is None where trials differ in what they sample: every setting is told then.
    """
    names = set(config) - {"seed", *filled_in()} if fixed is None else set(fixed)
    values = {name: config.get(name) for name in names} | dict(sampled)
    if values.get("tbptt_forward_steps", 0) is None:
        values["tbptt_forward_steps"] = "full"
    return {name: text(values[name]) for name in sorted(values)}


def _epoch_values(report: Reported) -> dict[str, float]:
    values = {f"train/{name}": value for name, value in report.train.items()}
    values |= {f"val/{name}": value for name, value in report.validation.items()}
    return numbers(
        {**values, "learning_rate": report.learning_rate, "gradient_norm": report.gradient_norm}
    )
