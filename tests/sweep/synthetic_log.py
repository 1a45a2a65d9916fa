"""Event logs written by hand: what a coordinator would have written, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sweep.log.events import Event, EventLog, Kind

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


def opened(time: float = START, **payload: Any) -> Event:
    known = {"pid": 1, "host": "elsewhere", "workers": 2, "order": "free", "resumed": False}
    return Event(
        Kind.OPENED, payload=known | {"versions": {"torch": "2.13.0"}} | payload, time=time
    )


def closed(time: float = START + 1000, reason: str = "finished") -> Event:
    payload = {"reason": reason, "busy_seconds": 9.5, "wall_seconds": 10.0}
    return Event(Kind.CLOSED, payload=payload, time=time)


def asked(trial: int, time: float = START, **changes: Any) -> Event:
    params = SAMPLED | changes.get("params", {})
    config = TRAINING | params | changes.get("config", {})
    payload = {"uid": f"{trial:032x}", "params": params, "config": config, "seed": 7}
    return Event(Kind.ASKED, trial, payload=payload | {"source": "sampler"}, time=time)


def started(trial: int, attempt: int = 1, from_epoch: int = 0, time: float = START) -> Event:
    payload = {"worker": f"w{attempt}", "node": "n", "from_epoch": from_epoch, "checkpoint": None}
    return Event(Kind.STARTED, trial, attempt, payload=payload, time=time)


def reported(
    trial: int, epoch: int, attempt: int = 1, rmse: float | None = None, time: float | None = None
) -> Event:
    """One epoch; by default the validation rmse falls, 1/epoch, so every epoch is the best."""
    value = 1.0 / epoch if rmse is None else rmse
    metrics = {"loss": value * value, "mse": value * value, "rmse": value, "mae": value / 2}
    payload = {
        "train": {name: number / 2 for name, number in metrics.items()},
        "validation": metrics,
        "best_epoch": epoch,
        "best": metrics,
        "learning_rate": 0.001,
        "gradient_norm": 0.5,
        "optimizer_steps": 10 * epoch,
        "train_seconds": 0.1,
        "worker": f"w{attempt}",
    }
    when = START + epoch if time is None else time
    return Event(Kind.REPORTED, trial, attempt, epoch, payload, when)


def checkpointed(trial: int, epoch: int, attempt: int = 1, time: float = START) -> Event:
    payload = {"path": f"t{trial}a{attempt}", "bytes": 9}
    return Event(Kind.CHECKPOINTED, trial, attempt, epoch, payload, time)


def lost(trial: int, attempt: int = 1, time: float = START) -> Event:
    return Event(Kind.LOST, trial, attempt, payload={"reason": "worker died"}, time=time)


def completed(trial: int, epoch: int, attempt: int = 1, time: float | None = None) -> Event:
    best = reported(trial, epoch).payload["best"]
    payload = {
        "best": best,
        "best_epoch": epoch,
        "values": [best["rmse"]],
        "reason": "max_epochs",
        "checkpoint": None,
        "parameters": 4_000,
    }
    when = START + epoch + 0.5 if time is None else time
    return Event(Kind.COMPLETED, trial, attempt, epoch, payload, when)


def paused(trial: int, epoch: int, attempt: int = 1) -> Event:
    end = pruned(trial, epoch, attempt)
    return Event(Kind.PAUSED, trial, attempt, epoch, end.payload, end.time)


def promotion(trial: int, epoch: int, attempt: int = 1) -> Event:
    return Event(Kind.CONTINUED, trial, attempt, epoch, {"promoted": True}, START + epoch + 0.6)


def repeating(trial: int, of: int, source: str) -> Event:
    """A trial that repeats another one: an audit, or a replicate."""
    first = asked(trial)
    return Event(
        Kind.ASKED, trial, payload={**first.payload, "source": source, "of": of}, time=first.time
    )


def pruned(trial: int, epoch: int, attempt: int = 1) -> Event:
    best = reported(trial, epoch).payload["best"]
    payload = {"rule": "median", "best": best, "best_epoch": epoch, "values": [best["rmse"]]}
    return Event(Kind.PRUNED, trial, attempt, epoch, payload, START + epoch + 0.5)


def failed(trial: int, epoch: int, reason: str, attempt: int = 1) -> Event:
    payload = {"reason": reason, "message": f"it {reason}"}
    return Event(Kind.FAILED, trial, attempt, epoch, payload, START + epoch + 0.5)


def evaluated(trial: int, rmse: float) -> Event:
    return Event(Kind.EVALUATED, trial, payload={"test": {"rmse": rmse}}, time=START + 900)


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
    return [
        Event(e.kind, e.trial, e.attempt, e.epoch, e.payload, e.time, seq)
        for seq, e in enumerate(events, start=1)
    ]


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
