"""The MLflow sink as a process: reads the log, writes to MLflow, never in anybody's way.

`run` starts it beside the coordinator (`running.follower`); `rnn-sweep sync` runs it by hand. It
reads on from the offset that it committed to the log, and commits only what MLflow has taken: it
may be killed at any moment. While MLflow is away it stops reading, so its memory does not grow.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sweep.errors import LogError
from sweep.log.event_log import EventLog
from sweep.log.outage import PATIENCE_SECONDS
from sweep.log.places import open_log
from sweep.log.process import URI_VARIABLE, LogWriter
from sweep.tracking.lock import only_sink
from sweep.tracking.loop import Sink, SinkOptions, SyncResult

_PATIENCE_SECONDS = 30.0
_NICENESS = 5
_PAUSE_SECONDS = 1.0


def sync(
    directory: Path,
    name: str,
    *,
    follow: bool = False,
    uri: str | None = None,
    notify: Callable[[str], None] | None = None,
    patience_seconds: float = _PATIENCE_SECONDS,
    page: bool = True,
) -> SyncResult:
    """Write to MLflow what the log of sweep `name` holds and MLflow does not.

    Args:
        directory: The --dir folder.
        name: The sweep's name.
        follow: Go on until the sweep is closed, or its coordinator is gone.
        uri: Tracking URI instead of the configured one.
        notify: Takes one line when the tracker goes away or comes back (default: standard error).
        patience_seconds: How long to wait for a tracker that does not answer, once there is no
            coordinator to wait for.
        page: Make the sweep's page as well: plots, tables, the note.

    Raises:
        LogError: there is no such sweep.
    """
    coordinator = LogWriter.from_environment() if follow else LogWriter()
    if coordinator.started_us:
        os.nice(_NICENESS)
    log = _open_log(directory, name, coordinator)
    log.patience.seconds = PATIENCE_SECONDS if follow else 0.0
    uri = uri or os.environ.get(URI_VARIABLE)
    options = SinkOptions(notify or _to_stderr, coordinator, uri, patience_seconds, page)
    sink = Sink(directory, log, options)
    may_wait = sink.is_worth_waiting if not follow else lambda: not coordinator.is_gone(None)
    try:
        with only_sink(directory / name, may_wait) as ours:
            if not ours:
                return sink.result(f"another process writes sweep {name!r} to MLflow just now")
            return sink.run(follow=follow)
    except KeyboardInterrupt:
        return sink.result()
    finally:
        log.close()


def _open_log(directory: Path, name: str, coordinator: LogWriter) -> EventLog:
    """Open the log; a coordinator's own sink waits for one that is away just now."""
    deadline = time.monotonic() + (PATIENCE_SECONDS if coordinator.started_us else 0.0)
    while True:
        try:
            log = open_log(directory / name)
            break
        except LogError:
            if time.monotonic() >= deadline or coordinator.is_gone(None):
                raise
            time.sleep(_PAUSE_SECONDS)
    try:
        log.uid()
    except LogError:
        log.close()
        raise
    return log


def _to_stderr(line: str) -> None:
    # The terminal or the notices file may be gone; the sink goes on without.
    with suppress(OSError):
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
        sys.stderr.flush()
