"""Hand-written events for tests of everything that folds or decides."""

from __future__ import annotations

from typing import Any

from sweep.history.state import SweepState
from sweep.log.events import Event, Kind

CONFIG = {"max_epochs": 9, "patience": None, "cell": "lstm"}


def folded(*events: Event, metric: str = "loss", keep_reports: bool = False) -> SweepState:
    state = SweepState(metric=metric, keep_reports=keep_reports)
    for seq, event in enumerate(events, start=1):
        state.apply(
            Event(
                event.kind, event.trial, event.attempt, event.epoch, event.payload, event.time, seq
            )
        )
    return state


def asked(trial: int, **config: Any) -> Event:
    payload = {
        "uid": f"u{trial}",
        "params": {"learning_rate": 0.1},
        "config": {**CONFIG, **config},
        "seed": trial,
        "source": "sampler",
    }
    return Event(Kind.ASKED, trial, payload=payload, time=float(trial))


def started(trial: int, attempt: int = 1, worker: str = "w0", from_epoch: int = 0) -> Event:
    payload = {"worker": worker, "from_epoch": from_epoch, "checkpoint": None}
    return Event(Kind.STARTED, trial, attempt, payload=payload)


def reported(trial: int, epoch: int, loss: float, attempt: int = 1, seconds: float = 1.0) -> Event:
    payload = {
        "train": {"loss": loss},
        "validation": {"loss": loss},
        "best": {"loss": loss},
        "best_epoch": epoch,
        "learning_rate": 0.1,
        "gradient_norm": 1.0,
        "optimizer_steps": epoch,
        "train_seconds": seconds,
        "parameters": 7,
        "worker": "w0",
    }
    return Event(Kind.REPORTED, trial, attempt, epoch, payload)


def continued(trial: int, epoch: int) -> Event:
    return Event(Kind.CONTINUED, trial, 1, epoch)


def completed(trial: int, loss: float, attempt: int = 1, epoch: int = 9, **extra: Any) -> Event:
    payload = {"values": [loss], "best": {"loss": loss}, "best_epoch": epoch, **extra}
    return Event(Kind.COMPLETED, trial, attempt, epoch, payload)


def run_of(trial: int, *losses: float, worker: str = "w0") -> list[Event]:
    """A trial that was asked, started and reported these losses."""
    reports = [reported(trial, epoch, loss) for epoch, loss in enumerate(losses, start=1)]
    return [asked(trial), started(trial, worker=worker), *reports]
