"""A finished little sweep on disk, written event by event; nothing is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sweep.config.sweep_config import validate
from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.log.kinds import Asked, Closed, Completed, DataFacts, Opened, Reported
from tests.sweep.events_factory import DATA, some, started

MINIMIZE_RMSE = ({"metric": "rmse", "direction": "minimize"},)


def write_sweep(
    directory: Path,
    *events: Event,
    name: str = "demo",
    objectives: Any = MINIMIZE_RMSE,
    facts: DataFacts | None = None,
    **sections: Any,
) -> Path:
    """Write a sweep's log below `directory`; return the sweep's folder."""
    folder = directory / name
    folder.mkdir(parents=True)
    values = {"name": name, "data": {"source": "digits"}, **sections}
    log = EventLog.open(folder / "sweep.db", name, create=True)
    log.register("uid", validate(values).model_dump(mode="json"))
    fence = log.take_fence("here:1")
    opened = some(Opened, objectives=tuple(objectives), data=facts or DATA)
    log.append([Event(opened), *events], fence)
    log.close()
    return folder


def asked(trial: int, **params: Any) -> Event:
    return Event(some(Asked, uid=f"u{trial}", params=params, seed=100 + trial), trial)


def trained(trial: int, epochs: int, best: dict[str, float], best_epoch: int = 1) -> list[Event]:
    """`started`, and as many reports as epochs, one second each."""
    report = some(
        Reported, train=best, validation=best, best=best, best_epoch=best_epoch, parameters=50
    )
    return [started(trial), *(Event(report, trial, 1, epoch) for epoch in range(1, epochs + 1))]


def ended(
    kind: type, trial: int, epochs: int, best: dict[str, float], parameters: int = 50, **more: Any
) -> Event:
    what = some(kind, best=best, best_epoch=1, parameters=parameters, **more)
    return Event(what, trial, 1, epochs)


def complete(trial: int, params: dict[str, Any], rmse: float, **more: Any) -> list[Event]:
    """A trial of two epochs, from its ask to its end."""
    best = {"rmse": rmse, "loss": rmse**2}
    end = ended(Completed, trial, 2, best, values=(rmse,), checkpoint=f"c{trial}", **more)
    return [asked(trial, **params), *trained(trial, 2, best), end]


def closed(reason: str = "finished") -> Event:
    return Event(some(Closed, reason=reason, busy_seconds=1.0, wall_seconds=1.0))
