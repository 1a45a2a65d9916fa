"""Event logs written by hand: what a coordinator would have written, without training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.log.kinds import (
    Asked,
    Checkpointed,
    Closed,
    Completed,
    Continued,
    Evaluated,
    Failed,
    Lost,
    Opened,
    Paused,
    Pruned,
    Reported,
    Started,
)
from tests.sweep.events_factory import changed, some

START = 1_700_000_000.0
SWEEP_UID = "5" * 32
CONFIG: dict[str, Any] = {
    "name": "digits",
    "data": {"source": "digits"},
    "space": {"base": "recurrent", "parameters": {"cell": "lstm"}},
    "train": {"max_epochs": 8},
    "search": {
        "sampler": "tpe",
        "seed": 0,
        "objectives": [{"metric": "rmse", "direction": "minimize"}],
        "constraints": [],
        "pruning": {"rule": "median"},
    },
    "run": {"order": "free"},
    "tracking": {"enabled": True, "uri": None, "experiment": None},
}
TRAINING = {
    "cell": "lstm",
    "hidden_size": 32,
    "tbptt_forward_steps": None,
    "clip_norm": None,
    "learning_rate": 0.001,
    "max_epochs": 8,
    "momentum": 0.0,
    "seed": 7,
}
SAMPLED = {"learning_rate": 0.001, "hidden_size": 32, "tbptt_forward_steps": None}


def opened(time: float = START, **fields: Any) -> Event:
    return Event(some(Opened, **fields), time=time)


def closed(time: float = START + 1000, reason: str = "finished") -> Event:
    return Event(some(Closed, reason=reason), time=time)


def asked(trial: int, time: float = START, **changes: Any) -> Event:
    params = SAMPLED | changes.get("params", {})
    config = TRAINING | params | changes.get("config", {})
    return Event(Asked(f"{trial:032x}", params, "sampler", config, 7), trial, time=time)


def started(trial: int, attempt: int = 1, from_epoch: int = 0, time: float = START) -> Event:
    return Event(Started(f"w{attempt}", from_epoch, None), trial, attempt, time=time)


def _metrics(rmse: float) -> dict[str, float]:
    return {"loss": rmse * rmse, "mse": rmse * rmse, "rmse": rmse, "mae": rmse / 2}


def reported(
    trial: int, epoch: int, attempt: int = 1, rmse: float | None = None, time: float | None = None
) -> Event:
    """One epoch; by default the validation rmse falls, 1/epoch, so every epoch is the best."""
    metrics = _metrics(1.0 / epoch if rmse is None else rmse)
    what = Reported(
        train={name: number / 2 for name, number in metrics.items()},
        validation=metrics,
        best_epoch=epoch,
        best=metrics,
        learning_rate=0.001,
        gradient_norm=0.5,
        optimizer_steps=10 * epoch,
        train_seconds=0.1,
        parameters=4_000,
        worker=f"w{attempt}",
    )
    return Event(what, trial, attempt, epoch, START + epoch if time is None else time)


def checkpointed(trial: int, epoch: int, attempt: int = 1, time: float = START) -> Event:
    return Event(Checkpointed(f"t{trial}a{attempt}", 9), trial, attempt, epoch, time)


def lost(trial: int, attempt: int = 1, time: float = START) -> Event:
    return Event(Lost("worker died"), trial, attempt, time=time)


def completed(trial: int, epoch: int, attempt: int = 1, time: float | None = None) -> Event:
    when = START + epoch + 0.5 if time is None else time
    return Event(_stopped(Completed, epoch, parameters=4_000), trial, attempt, epoch, when)


def paused(trial: int, epoch: int, attempt: int = 1) -> Event:
    return Event(_stopped(Paused, epoch), trial, attempt, epoch, START + epoch + 0.5)


def promotion(trial: int, epoch: int, attempt: int = 1) -> Event:
    return Event(Continued(promoted=True), trial, attempt, epoch, START + epoch + 0.6)


def repeating(trial: int, of: int, source: str) -> Event:
    """A trial that repeats another one: an audit, or a replicate."""
    return changed(asked(trial), source=source, of=of)


def pruned(trial: int, epoch: int, attempt: int = 1) -> Event:
    return Event(_stopped(Pruned, epoch), trial, attempt, epoch, START + epoch + 0.5)


def _stopped(kind: type, epoch: int, **fields: Any) -> Any:
    """The content of an end or a pause at this epoch, by default the best one."""
    best = _metrics(1.0 / epoch)
    return some(kind, best=best, best_epoch=epoch, values=(best["rmse"],), **fields)


def failed(trial: int, epoch: int, reason: str, attempt: int = 1) -> Event:
    return Event(Failed(reason, f"it {reason}"), trial, attempt, epoch, START + epoch + 0.5)


def evaluated(trial: int, rmse: float) -> Event:
    return Event(Evaluated({"rmse": rmse}), trial, time=START + 900)


def whole_trial(trial: int, epochs: int, seconds: float = 0.0) -> list[Event]:
    """A trial from first to last event, begun `seconds` after the sweep."""
    began = START + seconds
    reports = [reported(trial, epoch, time=began + epoch) for epoch in range(1, epochs + 1)]
    end = completed(trial, epochs, time=began + epochs + 0.5)
    return [asked(trial, began), started(trial, time=began), *reports, end]


def retried_trial(trial: int, seconds: float = 0.0) -> list[Event]:
    """Six epochs in three attempts: checkpoints after 2 and 4, deaths after epochs 3 and 4."""
    began = START + seconds
    return [
        asked(trial, began),
        started(trial, 1, 0, began),
        *(reported(trial, epoch, 1, time=began + epoch) for epoch in (1, 2)),
        checkpointed(trial, 2, 1, began + 2),
        reported(trial, 3, 1, rmse=0.9, time=began + 3),
        lost(trial, 1, began + 3),
        started(trial, 2, 2, began + 10),
        *(reported(trial, epoch, 2, time=began + 8 + epoch) for epoch in (3, 4)),
        checkpointed(trial, 4, 2, began + 12),
        lost(trial, 2, began + 12),
        started(trial, 3, 4, began + 20),
        *(reported(trial, epoch, 3, time=began + 16 + epoch) for epoch in (5, 6)),
        completed(trial, 6, 3, began + 22.5),
    ]


def numbered(events: list[Event]) -> list[Event]:
    """The events with the sequence numbers that a log would give them."""
    return [replace(event, seq=seq) for seq, event in enumerate(events, start=1)]


def create_log(
    directory: Path, name: str = "digits", config: dict[str, Any] | None = None
) -> EventLog:
    """Make an empty log at DIR/NAME/sweep.db, as the coordinator does."""
    (directory / name).mkdir(parents=True)
    log = EventLog.open(directory / name / "sweep.db", name, create=True)
    log.register(SWEEP_UID, config or CONFIG)
    return log


def append(log: EventLog, events: list[Event]) -> None:
    """Append as a coordinator of our own would."""
    log.append(events, log.take_fence("test:1"))
