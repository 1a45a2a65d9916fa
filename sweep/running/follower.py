"""The coordinator's hold on the MLflow sink that runs beside it; it never waits while training."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from sweep.config.sweep_config import SweepConfig
from sweep.config.tracking_uri import default_tracking_uri, sink_name
from sweep.errors import LogError
from sweep.log.event_log import EventLog
from sweep.log.notices import NOTICES_FILE, last_notice, notices_size
from sweep.log.places import open_log
from sweep.log.process import URI_VARIABLE, LogWriter

GRACE_SECONDS = 20.0
FIRST_PAUSE_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 600.0
"""Between two starts of a sink, the first and the longest."""
_POLL_SECONDS = 0.1


class Follower:
    """Starts the sink process, knows how far it is, and gives it time to finish.

    Args:
        config: The sweep; with `tracking.enabled: false` every method does nothing.
        directory: The --dir folder.
        log: The sweep's log, read for its newest event and the sink's offset.
    """

    def __init__(self, config: SweepConfig, directory: Path, log: EventLog) -> None:
        """Start nothing yet."""
        self._enabled = config.tracking.enabled
        self._name = config.name
        self._directory = directory
        self._log = log
        uri = default_tracking_uri(directory, config.tracking.uri)
        self._sink = sink_name(directory, uri, config.tracking.experiment or config.name)
        self._opened_seq = log.last_seq()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = -math.inf
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._said_before = 0
        self._left = 0

    def start(self) -> None:
        """Have a sink: from the first training on, whose start it would slow down.

        One that was killed or gave up is started again, ever more seldom.
        """
        now = time.monotonic()
        if not self._enabled or self._lives():
            return
        if self._process is not None:
            lived = now - self._started_at
            if lived < self._pause_seconds:
                return
            longer = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
            self._pause_seconds = FIRST_PAUSE_SECONDS if lived > LONGEST_PAUSE_SECONDS else longer
        self._start(now)

    def _start(self, now: float) -> None:
        self._started_at = now
        self._said_before = notices_size(self._directory / self._name)
        self._process = start_follower(self._directory, self._name, since_seq=self._opened_seq)

    def _lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def backlog(self) -> int:
        """Return how many events the sink has not written yet, as last seen."""
        if not self._enabled:
            return 0
        left = self._log.backlog(self._sink)
        self._left = self._left if left is None else left
        return self._left

    def trouble(self) -> str:
        """Return what the sink said last, if that is still so: why it does not get on."""
        if self._process is None:
            return ""
        return last_notice(self._directory / self._name, self._said_before)

    def abandon(self) -> None:
        """End the sink at once: it may be killed at any moment, and nothing is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def finish(self) -> int:
        """Wait for the sink while it gets on; return the events that it has not written.

        A sink that is stuck (its server is down) is left alone: it ends by itself, and what it
        has not written `rnn-sweep sync` writes later.
        """
        if not self._enabled:
            return 0
        left, moved = self.backlog(), time.monotonic()
        if left and not self._lives():
            self._start(moved)
        deadline = moved + GRACE_SECONDS
        while self._lives() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            now = self.backlog()
            if now != left:
                left, moved = now, time.monotonic()
                deadline = moved + GRACE_SECONDS
        return self.backlog()


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
    environment = os.environ | LogWriter(os.getpid(), known_seq).environment()
    if uri is not None:
        environment[URI_VARIABLE] = uri
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
