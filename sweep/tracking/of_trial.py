"""One trial's run, folded from the trial's events: what is certain enough to be shown.

A report counts once a checkpoint of the standing attempt covers its epoch, or the trial has
ended: until then the worker may die and the next attempt trains that epoch again. Each epoch is
handed out once, whatever a later attempt repeats.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweep.history.curves import LossCurves
from sweep.log.events import Event, Kind
from sweep.tracking.run import PendingRun, Point, RunWrite, Status, milliseconds, numbers, text

_EPOCH_VALUES = ("learning_rate", "gradient_norm")


@dataclass(slots=True)
class TrialRun:
    """One trial's run and the reports that nothing covers yet."""

    number: int
    run: PendingRun
    attempt: int = 0
    epoch: int = 0
    best: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    ended: bool = False
    paused: bool = False
    repeats: int | None = None
    _evaluated: bool = False
    _covered: int = 0
    _best_told: list[Point] = field(default_factory=list)
    _waiting: dict[int, list[Point]] = field(default_factory=dict)
    _times_ms: dict[int, int] = field(default_factory=dict)
    _curves: LossCurves = field(default_factory=LossCurves)

    @classmethod
    def asked(
        cls, event: Event, sweep_uid: str, sweep_name: str, fixed: Collection[str] | None
    ) -> TrialRun:
        """Begin the run of a trial that was just asked; `fixed` as `trial_params` takes it."""
        assert event.trial is not None
        payload = event.payload
        run = PendingRun(
            payload["uid"],
            f"{sweep_name}-{event.trial}",
            asked_seq=event.seq,
            params=trial_params(payload["params"], payload["config"], fixed),
            tags={
                "sweep.uid": sweep_uid,
                "sweep.trial_uid": payload["uid"],
                "sweep.trial": str(event.trial),
                "cell": text(payload["config"].get("cell")),
                "seed": text(payload["seed"]),
                "diverged": "false",
                "sweep.source": text(payload.get("source", "sampler")),
                **_repeated(payload),
            },
        )
        return cls(event.trial, run, repeats=payload.get("of"))

    def is_stale(self, event: Event) -> bool:
        """Whether the event comes too late: its attempt was given up, or the trial is over."""
        if self.ended:
            return event.kind is not Kind.EVALUATED
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
            self._times_ms, self.best, self._curves = {}, {}, LossCurves()
            self._best_told = []
        return write

    # -- events ------------------------------------------------------------------------------

    def start(self, event: Event) -> None:
        """A new attempt: what the last one reported after its starting point never happened."""
        from_epoch = event.payload.get("from_epoch") or 0
        self.attempt, self.epoch = event.attempt or 0, from_epoch
        self.paused = False
        self._curves.apply(event)
        self._waiting = {e: points for e, points in self._waiting.items() if e <= from_epoch}
        kept = max(from_epoch, self._covered)
        self._times_ms = {e: when for e, when in self._times_ms.items() if e <= kept}
        if self.run.start_ms is None:
            self.run.start_ms = milliseconds(event.time)
        worker = text(event.payload.get("worker"))
        self.run.tag({"state": "running", "attempt": str(self.attempt), "worker": worker})
        self.run.reopen()

    def report(self, event: Event) -> None:
        """An epoch is done: keep its metrics until something covers them."""
        epoch, payload = event.epoch or 0, event.payload
        self.epoch = epoch
        self._curves.apply(event)
        self.best, self.best_epoch = payload.get("best") or {}, payload.get("best_epoch") or 0
        if epoch <= self._covered or epoch in self._waiting:
            return
        when = milliseconds(event.time)
        self._times_ms[epoch] = when
        self._waiting[epoch] = [
            Point(key, value, when, epoch) for key, value in _epoch_values(payload).items()
        ]

    def checkpoint(self, event: Event) -> None:
        """A checkpoint is written: epochs up to it can't be trained again."""
        self._cover(event.epoch or 0)

    def end(self, event: Event, state: str, objectives: Sequence[str]) -> None:
        """The trial is over: everything of the standing attempt counts."""
        payload, when = event.payload, milliseconds(event.time)
        self._cover(self.epoch)
        self.best = payload.get("best") or self.best
        self.best_epoch = payload.get("best_epoch") or self.best_epoch
        values = payload.get("values") or ()
        self._tell_best(when, dict(zip(objectives, values, strict=False)))
        if self.run.start_ms is None:
            self.run.start_ms = when
        diverged = state == "failed" and payload.get("reason") == "diverged"
        self.run.tag({"state": state, "diverged": text(diverged)})
        if state == "complete" and (diagnosis := self._curves.judge()):
            self.run.tag({"sweep.diagnosis": diagnosis})
        if payload.get("message"):
            self.run.tag({"failure": text(payload["message"])})
        self.run.end(Status.FAILED if state == "failed" else Status.FINISHED, when)
        self.ended = True

    def pause(self, event: Event, objectives: Sequence[str]) -> None:
        """A rung put the trial aside; a promotion goes on with it, the sweep's end prunes it."""
        payload, when = event.payload, milliseconds(event.time)
        self._cover(self.epoch)
        self.best = payload.get("best") or self.best
        self.best_epoch = payload.get("best_epoch") or self.best_epoch
        self._tell_best(when, dict(zip(objectives, payload.get("values") or (), strict=False)))
        self.run.tag({"state": "paused"})
        self.run.end(Status.FINISHED, when)
        self.paused = True

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

    def evaluate(self, event: Event) -> None:
        """A finalist's metrics on the test part, once."""
        if self._evaluated:
            return
        self._evaluated = True
        when = milliseconds(event.time)
        test = numbers(event.payload.get("test", {}))
        self.run.add([Point(f"test/{k}", v, when, self.best_epoch) for k, v in test.items()])
        if self.repeats is None:
            self.run.tag({"finalist": "true"})

    def _cover(self, epoch: int) -> None:
        for covered in sorted(e for e in self._waiting if e <= epoch):
            self.run.add(self._waiting.pop(covered))
            self._covered = covered

    def _tell_best(self, when: int, objectives: Mapping[str, Any]) -> None:
        # Dated by the epochs they come from: told again after a promotion, an unchanged best is
        # the same point to MLflow.
        best = {f"best/{name}": value for name, value in numbers(self.best).items()}
        values = numbers(objectives)
        several = len(objectives) > 1
        best |= {f"objective/{m}" if several else "objective": v for m, v in values.items()}
        best_time = self._times_ms.get(self.best_epoch, when)
        points = [Point(key, value, best_time, self.best_epoch) for key, value in best.items()]
        epoch_time = self._times_ms.get(self.epoch, when)
        points.append(Point("epochs", float(self.epoch), epoch_time, self.epoch))
        self.run.add(point for point in points if point not in self._best_told)
        self._best_told = points


def _repeated(payload: Mapping[str, Any]) -> dict[str, str]:
    of = payload.get("of")
    return {} if of is None else {"sweep.of": text(of)}


def trial_params(
    sampled: Mapping[str, Any], config: Mapping[str, Any], fixed: Collection[str] | None
) -> dict[str, str]:
    """Return a trial's params: what was sampled and what the sweep file fixed.

    Every trial of a sweep has the same keys, because MLflow's parallel coordinates drop runs that
    lack one. `fixed` is None where trials differ in what they sample: every setting is told then.
    """
    names = set(config) - {"seed"} if fixed is None else set(fixed)
    values = {name: config.get(name) for name in names} | dict(sampled)
    if values.get("tbptt_forward_steps", 0) is None:
        values["tbptt_forward_steps"] = "full"
    return {name: text(values[name]) for name in sorted(values)}


def _epoch_values(payload: Mapping[str, Any]) -> dict[str, float]:
    values = {f"train/{name}": value for name, value in payload.get("train", {}).items()}
    values |= {f"val/{name}": value for name, value in payload.get("validation", {}).items()}
    values |= {name: payload.get(name) for name in _EPOCH_VALUES}
    return numbers(values)
