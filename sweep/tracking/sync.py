"""The MLflow sink as a process: reads the log, writes to MLflow, never in anybody's way.

`run` starts it beside the coordinator (`start_follower`); `rnn-sweep sync` runs it by hand. It
reads on from the offset that it committed to the log, and commits only what MLflow has taken: it
may be killed at any moment. While MLflow is away it stops reading, so its memory does not grow.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sweep.errors import LogError
from sweep.log.events import EventLog
from sweep.log.outage import PATIENCE_SECONDS
from sweep.log.places import open_log
from sweep.tracking.loop import Sink, SyncResult
from sweep.tracking.notices import NOTICES_FILE
from sweep.tracking.process import Coordinator, only_sink

_PATIENCE_SECONDS = 30.0
_NICENESS = 5
_PAUSE_SECONDS = 1.0
_URI_VARIABLE = "RNN_SWEEP_TRACKING_URI"


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
    coordinator = Coordinator.from_environment() if follow else Coordinator()
    if coordinator.started_us:
        os.nice(_NICENESS)
    log = _open_log(directory, name, coordinator)
    log.patience.seconds = PATIENCE_SECONDS if follow else 0.0
    sink = Sink(
        directory,
        log,
        uri=uri or os.environ.get(_URI_VARIABLE),
        notify=notify or _to_stderr,
        coordinator=coordinator,
        patience_seconds=patience_seconds,
        page=page,
    )
    may_wait = sink.is_worth_waiting if not follow else lambda: not coordinator.is_gone({})
    try:
        with only_sink(directory / name, may_wait) as ours:
            if not ours:
                return sink.result(f"another process writes sweep {name!r} to MLflow just now")
            return sink.run(follow=follow)
    except KeyboardInterrupt:
        return sink.result()
    finally:
        log.close()


def start_follower(
    directory: Path, name: str, uri: str | None = None, since_seq: int | None = None
) -> subprocess.Popen[bytes]:
    """Start the sink beside the coordinator, which is this process.

    Ctrl-C in the terminal does not reach it; it ends when the log says `closed` and all is
    written, or soon after this process is gone. Its few lines go to NAME/sink.log.

    Args:
        directory: The --dir folder.
        name: The sweep's name.
        uri: Tracking URI instead of the configured one.
        since_seq: The log's newest event when the coordinator opened it (default: now). A
            `closed` up to there belongs to an earlier session and does not end the sink.
    """
    known_seq = _last_seq(directory, name) if since_seq is None else since_seq
    environment = os.environ | Coordinator(os.getpid(), known_seq).environment()
    if uri is not None:
        environment[_URI_VARIABLE] = uri
    home = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(
        [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    command = [sys.executable, "-m", "sweep", "sync", name, "--dir", str(directory), "--follow"]
    with (directory / name / NOTICES_FILE).open("ab") as notices:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=notices,
            stderr=notices,
            start_new_session=True,
        )


def _last_seq(directory: Path, name: str) -> int:
    with suppress(LogError):
        log = open_log(directory / name)
        try:
            return log.last_seq()
        finally:
            log.close()
    return 0


def _open_log(directory: Path, name: str, coordinator: Coordinator) -> EventLog:
    """Open the log; a coordinator's own sink waits for one that is away just now."""
    deadline = time.monotonic() + (PATIENCE_SECONDS if coordinator.started_us else 0.0)
    while True:
        try:
            log = open_log(directory / name)
            break
        except LogError:
            if time.monotonic() >= deadline or coordinator.is_gone({}):
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
