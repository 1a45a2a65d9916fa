"""From what a worker says to what the log says: pure, and the same whatever arrives twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sweep.config.sections import ObjectiveSection
from sweep.history.state import Standing, SweepState, TrialState
from sweep.log import kinds
from sweep.log.checkpoints import recorded_path
from sweep.log.event import Event
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
                yield Event(kinds.Evaluated(item.test), item.trial, time=item.time)
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
            yield _stopped(kinds.Lost(item.message, worker_died=False), item, trial.epoch)
        case Unreadable():
            lost = kinds.Lost(item.message, worker_died=False, anew=True)
            yield _stopped(lost, item, trial.epoch)
        case Crashed():
            yield _stopped(kinds.Failed("error", item.message, trial.best), item, trial.epoch)


def _stopped(
    what: kinds.Lost | kinds.Failed, item: Evicted | Unreadable | Crashed, epoch: int
) -> Event:
    return Event(what, item.trial, item.attempt, epoch, item.time)


def _reported(item: Trained, worker: str) -> Event:
    report = item.report
    what = kinds.Reported(
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
    )
    return Event(what, item.trial, item.attempt, report.epoch, item.time)


def _checkpointed(item: Saved) -> Event:
    what = kinds.Checkpointed(recorded_path(item.path), item.bytes)
    return Event(what, item.trial, item.attempt, item.epoch, item.time)


def _ended(item: Trained, objectives: Sequence[ObjectiveSection]) -> Event:
    if item.report.outcome == "diverged":
        message = "loss, gradient or a validation metric was not finite"
        what: kinds.End = _failed(item, "diverged", message)
    else:
        what = _completed(item, objectives)
    return Event(what, item.trial, item.attempt, item.report.epoch, item.time)


def _completed(
    item: Trained, objectives: Sequence[ObjectiveSection]
) -> kinds.Completed | kinds.Failed:
    report, best = item.report, item.report.best_validation
    values = []
    for objective in objectives:
        value = objective_value(best, item.parameters, objective.metric)
        if value is None:
            message = (
                f"the validation part gives no {objective.metric} (a constant target has no r2)"
            )
            return _failed(item, "error", message)
        values.append(value)
    return kinds.Completed(
        best=best,
        best_epoch=report.best_epoch,
        parameters=item.parameters,
        values=tuple(values),
        reason="patience" if report.outcome == "stopped_early" else "max_epochs",
        checkpoint=recorded_path(item.final.path) if item.final is not None else None,
    )


def _failed(item: Trained, reason: str, message: str) -> kinds.Failed:
    report = item.report
    return kinds.Failed(reason, message, report.best_validation, report.best_epoch, item.parameters)
