"""A finished little sweep on disk, written event by event; nothing is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sweep.config.sweep_config import validate
from sweep.log.events import Event, EventLog, Kind

MINIMIZE_RMSE = ({"metric": "rmse", "direction": "minimize"},)


def write_sweep(
    directory: Path,
    *events: Event,
    name: str = "demo",
    objectives: Any = MINIMIZE_RMSE,
    **sections: Any,
) -> Path:
    """Write a sweep's log below `directory`; return the sweep's folder."""
    folder = directory / name
    folder.mkdir(parents=True)
    values = {"name": name, "data": {"source": "digits"}, **sections}
    log = EventLog.open(folder / "sweep.db", name, create=True)
    log.register("uid", validate(values).model_dump(mode="json"))
    fence = log.take_fence("here:1")
    opened = Event(
        Kind.OPENED, payload={"objectives": list(objectives), "host": "elsewhere", "pid": 1}
    )
    log.append([opened, *events], fence)
    log.close()
    return folder


def asked(trial: int, **params: Any) -> Event:
    payload = {
        "uid": f"u{trial}",
        "params": params,
        "config": {},
        "seed": 100 + trial,
        "source": "sampler",
    }
    return Event(Kind.ASKED, trial, payload=payload)


def trained(trial: int, epochs: int, best: dict[str, float], best_epoch: int = 1) -> list[Event]:
    """`started`, and as many reports as epochs, one second each."""
    payload = {"worker": "w0", "from_epoch": 0, "checkpoint": None}
    events = [Event(Kind.STARTED, trial, 1, payload=payload)]
    for epoch in range(1, epochs + 1):
        report = {
            "train": best,
            "validation": best,
            "best": best,
            "best_epoch": best_epoch,
            "train_seconds": 1.0,
            "parameters": 50,
        }
        events.append(Event(Kind.REPORTED, trial, 1, epoch, report))
    return events


def ended(
    kind: Kind, trial: int, epochs: int, best: dict[str, float], parameters: int = 50, **more: Any
) -> Event:
    payload = {"best": best, "best_epoch": 1, "parameters": parameters, **more}
    return Event(kind, trial, 1, epochs, payload)


def complete(trial: int, params: dict[str, Any], rmse: float, **more: Any) -> list[Event]:
    """A trial of two epochs, from its ask to its end."""
    best = {"rmse": rmse, "loss": rmse**2}
    end = ended(Kind.COMPLETED, trial, 2, best, values=[rmse], checkpoint=f"c{trial}", **more)
    return [asked(trial, **params), *trained(trial, 2, best), end]


def closed(reason: str = "finished") -> Event:
    return Event(Kind.CLOSED, payload={"reason": reason, "busy_seconds": 1.0, "wall_seconds": 1.0})
