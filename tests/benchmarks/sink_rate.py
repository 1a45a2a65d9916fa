"""How fast and how cheap the MLflow sink is: `python -m tests.benchmarks.sink_rate`.

One `sync` of logs written by hand, into a SQLite file and through `mlflow server` with one worker.
The first line of a new store (its migrations) and the sweep's page are not counted.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sweep.log.event import Event
from sweep.log.kinds import DataFacts, PartFacts
from sweep.tracking.sync import sync
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.integration.mlflow_server import free_port, mlflow_server
from tests.sweep.synthetic_log import (
    START,
    append,
    asked,
    closed,
    completed,
    create_log,
    opened,
    reported,
    started,
    whole_trial,
)

_METRICS_PER_EPOCH = 10
_PARTS = {name: PartFacts(9, 8) for name in ("train", "validation", "test")}
_DATA = DataFacts("digits", "regression", "d" * 64, _PARTS)


def measure(quick: bool) -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        figures = _figures("SQLite", Path(folder), None, 4_000, quick)
    with tempfile.TemporaryDirectory() as folder:
        store, port = Path(folder) / "server" / "mlflow.db", free_port()
        store.parent.mkdir()
        with mlflow_server(store, port):
            uri = f"http://127.0.0.1:{port}"
            figures += _figures("a server on SQLite", Path(folder), uri, 3_000, quick)
    return figures


def _figures(
    place: str, directory: Path, uri: str | None, points_target: int, quick: bool
) -> list[Figure]:
    trials, epochs = (40, 400) if quick else (200, 2_000)
    first_use, _ = _synced(directory, "warm-up", long_trial(2), 1, uri)
    short, short_ms = _synced(directory, "short", short_trials(trials), trials, uri)
    points = epochs * _METRICS_PER_EPOCH
    long, long_ms = _synced(directory, "long", long_trial(epochs), points, uri)
    details = {"processor_ms": round(short_ms, 1), "first_use_seconds": round(1 / first_use, 1)}
    return [
        Figure(
            f"sink to {place}, short trials of 8 epochs",
            round(short, 1),
            "/s",
            15,
            "more",
            details,
        ),
        Figure(
            f"sink to {place}, points of one long trial",
            round(long),
            "/s",
            points_target,
            "more",
            {"processor_ms": round(long_ms, 3)},
        ),
    ]


def short_trials(count: int) -> list[Event]:
    """`count` trials of 8 epochs, interleaved by twos as two workers would report them."""
    events: list[Event] = [opened(data=_DATA)]
    for pair in range(0, count, 2):
        both = [whole_trial(n, 8, seconds=4.0 * pair) for n in (pair, pair + 1)]
        events.extend(event for events_of_two in zip(*both, strict=True) for event in events_of_two)
    return [*events, closed(START + 5 * count)]


def long_trial(epochs: int) -> list[Event]:
    """One trial of many epochs, as points per second are measured."""
    reports = [reported(0, epoch, time=START + epoch / 10) for epoch in range(1, epochs + 1)]
    return [opened(data=_DATA), asked(0), started(0), *reports, completed(0, epochs), closed()]


def _synced(
    directory: Path, name: str, events: list[Event], units: int, uri: str | None
) -> tuple[float, float]:
    """Return units per second and processor milliseconds per unit of writing a log to MLflow."""
    log = create_log(directory, name)
    append(log, events)
    log.close()
    wall, processor = time.perf_counter(), time.process_time()
    if sync(directory, name, uri=uri, page=False).behind:
        raise RuntimeError(f"the sink left events of {name!r} behind.")
    taken = time.perf_counter() - wall
    return units / taken, (time.process_time() - processor) / units * 1e3


if __name__ == "__main__":
    figures.main({"sink_rate": measure}, __doc__ or "")
