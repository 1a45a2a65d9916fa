"""From what a worker says to what the log says: pure, and the same whatever arrives twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sweep.history.goal import measured
from sweep.history.state import Standing, SweepState, TrialState
from sweep.log import kinds
from sweep.log.checkpoints import recorded_path
from sweep.log.event import Event
from sweep.work.protocol import (
    Combined,
    Crashed,
    Evaluated,
    Evicted,
    Reply,
    Saved,
    Trained,
    Unreadable,
)
from trainers.config.objective import Objective

_OfAnAttempt = Trained | Saved | Evicted | Unreadable | Crashed


def events_of(reply: Reply, state: SweepState, objectives: Sequence[Objective]) -> Iterator[Event]:
    """Yield the events that a reply adds to the log.

    Messages of attempts that no longer stand, and epochs that were reported before, add nothing.
    """
    epochs: dict[int, int] = {}
    for item in reply.items:
        if isinstance(item, Combined):
            yield Event(_ensembled(item), time=item.time)
            continue
        trial = state.trials.get(item.trial)
        if trial is None:
            continue
        if isinstance(item, Evaluated):
            if not trial.test:
                yield Event(kinds.Evaluated(item.test), item.trial, time=item.time)
            continue
        stands = trial.state is Standing.RUNNING and trial.attempt == item.attempt
        if stands:
            yield from _training_events(item, trial, reply.worker, objectives, epochs)


def _ensembled(item: Combined) -> kinds.Ensembled:
    return kinds.Ensembled(
        members={str(number): count for number, count in item.members},
        single=item.single,
        validation=item.validation,
        test=item.test,
        difference=item.difference,
        better=item.better,
        reason=item.reason,
    )


def _training_events(
    item: _OfAnAttempt,
    trial: TrialState,
    worker: str,
    objectives: Sequence[Objective],
    epochs: dict[int, int],
) -> Iterator[Event]:
    match item:
        case Trained():
            if item.report.epoch <= epochs.get(trial.number, trial.epoch):
                return
            epochs[trial.number] = item.report.epoch
            yield _event(_reported(item, worker), item, item.report.epoch)
            if item.final is not None:
                yield _checkpointed(item.final)
            if item.report.ended:
                yield _event(_ended(item, objectives), item, item.report.epoch)
        case Saved():
            yield _checkpointed(item)
        case Evicted():
            yield _event(kinds.Lost(item.message, worker_died=False), item, trial.epoch)
        case Unreadable():
            lost = kinds.Lost(item.message, worker_died=False, anew=True)
            yield _event(lost, item, trial.epoch)
        case Crashed():
            yield _event(kinds.Failed("error", item.message, trial.best), item, trial.epoch)


def _event(what: kinds.What, item: _OfAnAttempt, epoch: int) -> Event:
    return Event(what, item.trial, item.attempt, epoch, item.time)


def _reported(item: Trained, worker: str) -> kinds.Reported:
    report = item.report
    return kinds.Reported(
        train=report.train,
        validation=report.validation,
        best_epoch=report.best_epoch,
        best=report.best_validation,
        learning_rate=report.learning_rate,
        gradient_norm=report.gradient_norm,
        optimizer_steps=report.optimizer_steps,
        train_seconds=report.train_seconds,
        parameters=item.parameters,
        worker=worker,
        folds=report.folds,
    )


def _checkpointed(item: Saved) -> Event:
    return _event(kinds.Checkpointed(recorded_path(item.path), item.bytes), item, item.epoch)


def _ended(item: Trained, objectives: Sequence[Objective]) -> kinds.End:
    report, best, parameters = item.report, item.report.best_validation, item.parameters
    if report.outcome == "diverged":
        message = "loss, gradient or a validation metric was not finite"
        return kinds.Failed("diverged", message, best, report.best_epoch, parameters)
    values = [measured(o.metric, best, parameters) for o in objectives]
    if None in values:
        missing = objectives[values.index(None)].metric
        message = f"the validation part gives no {missing} (a constant target has no r2)"
        return kinds.Failed("error", message, best, report.best_epoch, parameters)
    return kinds.Completed(
        best=best,
        best_epoch=report.best_epoch,
        parameters=parameters,
        values=tuple(value for value in values if value is not None),
        reason="patience" if report.outcome == "stopped_early" else "max_epochs",
        checkpoint=recorded_path(item.final.path) if item.final is not None else None,
    )


def given_up(trial: TrialState) -> Event:
    """Return what the log says of a trial that has killed one worker after the other."""
    message = (
        f"its worker died {trial.deaths} times in a row while training it, the last time: "
        f"{trial.message}"
    )
    failed = kinds.Failed("worker_died", message, trial.best)
    return Event(failed, trial.number, trial.attempt, trial.epoch)


def lost_event(trial: TrialState, reason: str, suspects: int) -> Event:
    """Return what the log says of a trial whose worker is gone."""
    lost = kinds.Lost(reason, worker_died=suspects > 0, suspects=suspects)
    return Event(lost, trial.number, trial.attempt, trial.epoch)
