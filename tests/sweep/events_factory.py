"""Hand-written events for tests of everything that folds or decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sweep.history.state import SweepState
from sweep.log.event import Event
from sweep.log.kinds import (
    Asked,
    Closed,
    Completed,
    Continued,
    DataFacts,
    Failed,
    Lost,
    Opened,
    Paused,
    Pruned,
    Reported,
    Started,
)
from trainers.config.objective import Objective

CONFIG = {"max_epochs": 9, "patience": None, "cell": "lstm"}
DATA = DataFacts("digits", "regression", "abc")
_END: dict[str, Any] = {"best": {}, "best_epoch": 0, "values": (), "parameters": 7}
_UNIMPORTANT: dict[type, dict[str, Any]] = {
    Opened: {
        "pid": 1,
        "host": "elsewhere",
        "workers": 2,
        "order": "free",
        "resumed": False,
        "versions": {"torch": "2.13.0"},
        "data": DATA,
        "objectives": (),
    },
    Closed: {"reason": "finished", "busy_seconds": 9.5, "wall_seconds": 10.0, "workers": 2},
    Asked: {"uid": "u", "params": {}, "source": "sampler", "config": {}, "seed": 7},
    Started: {"worker": "w0", "from_epoch": 0, "checkpoint": None},
    Reported: {
        "train": {},
        "validation": {},
        "best_epoch": 0,
        "best": {},
        "learning_rate": 0.1,
        "gradient_norm": 1.0,
        "optimizer_steps": 1,
        "train_seconds": 1.0,
        "parameters": 7,
        "worker": "w0",
    },
    Paused: {"rule": "halving", **_END},
    Pruned: {"rule": "halving", **_END},
    Completed: {"reason": "max_epochs", "checkpoint": None, **_END},
    Failed: {"message": "it failed"},
    Lost: {"reason": "it died"},
}


def some(kind: type, **fields: Any) -> Any:
    """The content of an event; what a test leaves open is filled in."""
    return kind(**{**_UNIMPORTANT.get(kind, {}), **fields})


def changed(event: Event, **fields: Any) -> Event:
    """The same event with some of its content replaced."""
    return replace(event, what=replace(event.what, **fields))


def folded(*events: Event, metric: str = "loss", keep_reports: bool = False) -> SweepState:
    state = SweepState(objective=Objective(metric), keep_reports=keep_reports)
    for seq, event in enumerate(events, start=1):
        state.apply(replace(event, seq=seq))
    return state


def asked(trial: int, **config: Any) -> Event:
    params, config = {"learning_rate": 0.1}, {**CONFIG, **config}
    what = some(Asked, uid=f"u{trial}", params=params, config=config, seed=trial)
    return Event(what, trial, time=float(trial))


def started(trial: int, attempt: int = 1, worker: str = "w0", from_epoch: int = 0) -> Event:
    return Event(Started(worker, from_epoch, None), trial, attempt)


def reported(trial: int, epoch: int, loss: float, attempt: int = 1, seconds: float = 1.0) -> Event:
    metrics = {"loss": loss}
    what = some(
        Reported,
        train=metrics,
        validation=metrics,
        best=metrics,
        best_epoch=epoch,
        train_seconds=seconds,
    )
    return Event(what, trial, attempt, epoch)


def continued(trial: int, epoch: int) -> Event:
    return Event(Continued(), trial, 1, epoch)


def completed(trial: int, loss: float, attempt: int = 1, epoch: int = 9, **extra: Any) -> Event:
    what = some(Completed, values=(loss,), best={"loss": loss}, best_epoch=epoch, **extra)
    return Event(what, trial, attempt, epoch)


def run_of(trial: int, *losses: float, worker: str = "w0") -> list[Event]:
    """A trial that was asked, started and reported these losses."""
    reports = [reported(trial, epoch, loss) for epoch, loss in enumerate(losses, start=1)]
    return [asked(trial), started(trial, worker=worker), *reports]
