"""From what a worker says to what the log says: pure, and the same whatever arrives twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sweep.config.sections import ObjectiveSection
from sweep.history.state import Standing, SweepState, TrialState
from sweep.log.checkpoints import recorded_path
from sweep.log.events import Event, Kind
from sweep.search.study import objective_value
from sweep.work.protocol import Crashed, Evaluated, Evicted, Item, Reply, Saved, Trained, Unreadable


def events_of(
    reply: Reply, state: SweepState, objectives: Sequence[ObjectiveSection]
) -> Iterator[Event]:
    """Yield the events that a reply adds to the log.

    Messages of attempts that no longer stand, and epochs that were reported before, add nothing.
    """
    epochs: dict[int, int] = {}
    for item in reply.items:
        trial = state.trials.get(item.trial)
        if trial is None:
            continue
        if isinstance(item, Evaluated):
            if not trial.test:
                yield Event(Kind.EVALUATED, item.trial, payload={"test": item.test}, time=item.time)
            continue
        stands = trial.state is Standing.RUNNING and trial.attempt == item.attempt
        if stands:
            yield from _training_events(item, trial, reply.worker, objectives, epochs)


def _training_events(
    item: Item,
    trial: TrialState,
    worker: str,
    objectives: Sequence[ObjectiveSection],
    epochs: dict[int, int],
) -> Iterator[Event]:
    match item:
        case Trained():
            if item.report.epoch <= epochs.get(trial.number, trial.epoch):
                return
            epochs[trial.number] = item.report.epoch
            yield _reported(item, worker)
            if item.final is not None:
                yield _checkpointed(item.final)
            if item.report.ended:
                yield _ended(item, objectives)
        case Saved():
            yield _checkpointed(item)
        case Evicted():
            payload = {"reason": item.message, "worker_died": False}
            yield Event(Kind.LOST, item.trial, item.attempt, trial.epoch, payload, item.time)
        case Unreadable():
            payload = {"reason": item.message, "worker_died": False, "anew": True}
            yield Event(Kind.LOST, item.trial, item.attempt, trial.epoch, payload, item.time)
        case Crashed():
            payload = {"reason": "error", "message": item.message, "best": trial.best}
            yield Event(Kind.FAILED, item.trial, item.attempt, trial.epoch, payload, item.time)


def _reported(item: Trained, worker: str) -> Event:
    report = item.report
    payload = {
        "train": report.train,
        "validation": report.validation,
        "best_epoch": report.best_epoch,
        "best": report.best_validation,
        "learning_rate": report.learning_rate,
        "gradient_norm": report.gradient_norm,
        "optimizer_steps": report.optimizer_steps,
        "train_seconds": report.train_seconds,
        "parameters": item.parameters,
        "worker": worker,
    }
    return Event(Kind.REPORTED, item.trial, item.attempt, report.epoch, payload, item.time)


def _checkpointed(item: Saved) -> Event:
    payload = {"path": recorded_path(item.path), "bytes": item.bytes}
    return Event(Kind.CHECKPOINTED, item.trial, item.attempt, item.epoch, payload, item.time)


def _ended(item: Trained, objectives: Sequence[ObjectiveSection]) -> Event:
    report = item.report
    values = [
        objective_value(report.best_validation, item.parameters, o.metric) for o in objectives
    ]
    payload = {
        "best": report.best_validation,
        "best_epoch": report.best_epoch,
        "parameters": item.parameters,
    }
    common = (item.trial, item.attempt, report.epoch)
    if report.outcome == "diverged":
        message = "loss, gradient or a validation metric was not finite"
        payload |= {"reason": "diverged", "message": message}
        return Event(Kind.FAILED, *common, payload, item.time)
    missing = [o.metric for o, v in zip(objectives, values, strict=True) if v is None]
    if missing:
        message = f"the validation part gives no {missing[0]} (a constant target has no r2)"
        payload |= {"reason": "error", "message": message}
        return Event(Kind.FAILED, *common, payload, item.time)
    reason = "patience" if report.outcome == "stopped_early" else "max_epochs"
    checkpoint = recorded_path(item.final.path) if item.final is not None else None
    payload |= {"values": values, "reason": reason, "checkpoint": checkpoint}
    return Event(Kind.COMPLETED, *common, payload, item.time)
