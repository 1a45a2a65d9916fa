"""Reports into the log per second while the sink runs: `python -m tests.benchmarks.log_rate`.

The coordinator's own path, `EventLog.append`, with the MLflow sink following in its own process.
A round holds the reports that came in while the round before was being written.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.running.follower import start_follower
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.sweep.synthetic_log import asked, closed, create_log, opened, reported, started

_ROUNDS = (1, 8, 64)
_SINK_START_SECONDS = 60.0


def measure(quick: bool) -> Sequence[Figure]:
    seconds = 1.0 if quick else 4.0
    with tempfile.TemporaryDirectory() as folder:
        log = create_log(Path(folder), "rate")
        fence = log.take_fence("bench:1")
        log.append([opened(), *_begun()], fence)
        follower = start_follower(Path(folder), "rate")
        try:
            _wait_for(log, 1)
            rates = {size: _rate(log, fence, size, seconds) for size in _ROUNDS}
            processor = time.process_time()
            count = seconds * _rate(log, fence, _ROUNDS[-1], seconds)
            processor = (time.process_time() - processor) / count
            behind = log.last_seq() - _offset(log)
            log.append([closed()], fence)
        finally:
            follower.kill()
            follower.wait()
            log.close()
    details: dict[str, float] = {f"rounds_of_{size}": round(rate) for size, rate in rates.items()}
    details["processor_ms_a_report"] = round(processor * 1e3, 3)
    details["events_the_sink_was_behind"] = behind
    best = rates[_ROUNDS[-1]]
    what = "reports into the log per second, the sink running"
    return [Figure(what, round(best), "/s", 5_000, "more", details)]


def _begun() -> list[Event]:
    trials = range(_ROUNDS[-1])
    return [event for trial in trials for event in (asked(trial), started(trial))]


def _rate(log: EventLog, fence: int, size: int, seconds: float) -> float:
    began = time.perf_counter()
    epoch = count = 0
    while time.perf_counter() - began < seconds:
        epoch += 1
        now = time.time()
        log.append([reported(trial, epoch, time=now) for trial in range(size)], fence)
        count += size
    return count / (time.perf_counter() - began)


def _wait_for(log: EventLog, seq: int) -> None:
    """Wait until the sink has written event `seq`: from then on it runs."""
    deadline = time.monotonic() + _SINK_START_SECONDS
    while _offset(log) < seq:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the sink wrote nothing in {_SINK_START_SECONDS:g} s.")
        time.sleep(0.1)


def _offset(log: EventLog) -> int:
    with log.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT max(seq) FROM offsets").scalar()
    return int(found or 0)


if __name__ == "__main__":
    figures.main({"log_rate": measure}, __doc__ or "")
