"""The tiny sweep, run for real: killed with SIGKILL in mid-sweep, then gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread

import yaml

from sweep.config.sweep_config import SweepConfig
from sweep.errors import SweepError, UserError
from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.log.kinds import Closed, Reported, Started
from sweep.log.places import VARIABLE, has_log, open_log
from sweep.smoke.processes import Family
from sweep.words.messages import USER_MISTAKE

PATIENCE_SECONDS = 600.0
_GONE_SECONDS = 20.0
_POLL_SECONDS = 0.003
_EXTENSIONS = 2


class SmokeStuck(SweepError):
    """The tiny sweep neither ends nor fails."""


@dataclass(frozen=True)
class Ran:
    """How it went.

    Attributes:
        trials: The budget's trials: more than the file's if the sweep ended before it was killed.
        code: Exit code of the last run.
        said: The last line that it printed.
        before: The log's events when the coordinator was killed; none if it never was.
        left: Command lines of processes that it left running.
        resumed_seconds: From the same command again to its end.
    """

    folder: Path
    trials: int
    code: int
    said: str
    before: tuple[Event, ...]
    left: tuple[str, ...]
    seconds: float
    resumed_seconds: float


def run_and_resume(
    config: SweepConfig, directory: Path, possible: int | None, tell: Callable[[str], None]
) -> Ran:
    """Run the sweep, kill its coordinator once something has been learnt, run it again.

    A sweep that ends too soon to be killed gets more trials, as a resume may.

    Args:
        config: The tiny sweep.
        directory: Folder that it lies in; made here.
        possible: How many trials the search can be asked for; None where there is no end.
        tell: Takes a line about what happens.

    Raises:
        UserError: the sweep can't be run as it is written.
        SmokeStuck: it takes far too long.
    """
    directory.mkdir(parents=True, exist_ok=True)
    spec = directory / f"{config.name}.yaml"
    spec.write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
    runs = _Runs(spec, directory, config.name)
    try:
        return _run(config, runs, possible, tell)
    finally:
        runs.family.end()


def _run(
    config: SweepConfig, runs: _Runs, possible: int | None, tell: Callable[[str], None]
) -> Ran:
    began, trials = time.monotonic(), config.budget.trials
    before: tuple[Event, ...] = ()
    Thread(target=_import_readers, daemon=True).start()
    for extension in range(1 + _EXTENSIONS):
        if extension:
            more = trials + config.budget.trials
            trials = min(more, possible or more)
        process = runs.start(trials)
        before = runs.kill_in_mid_sweep(process, single=trials == 1)
        ended_too_soon = not before and process.returncode in (0, -signal.SIGKILL)
        if not ended_too_soon or (possible is not None and trials >= possible):
            break
    again = time.monotonic()
    if process.returncode == -signal.SIGKILL:
        epochs = sum(isinstance(event.what, Reported) for event in before)
        tell(f"killed the coordinator after {epochs} epochs; the same command again")
        process = runs.start(trials)
    code = runs.wait(process)
    if code == USER_MISTAKE:
        raise UserError(runs.said().removeprefix("error: "))
    left = runs.family.wait_until_gone(_GONE_SECONDS)
    now = time.monotonic()
    return Ran(
        runs.folder, trials, code, runs.said(), before, tuple(left), now - began,
        now - again,
    )  # fmt: skip


def _import_readers() -> None:
    """Import what reads the record back: seconds of work, while one core waits for Ray to start."""
    with suppress(Exception):  # whoever needs them says what is wrong
        import_module("sweep.tracking.reading")
        import_module("trainers.use.portable")


class _Runs:
    """One command, run again and again."""

    def __init__(self, spec: Path, directory: Path, name: str) -> None:
        self.family = Family()
        self.folder = directory / name
        self._spec = spec
        self._directory = directory
        self._count = 0
        self._since = 0

    def start(self, trials: int) -> subprocess.Popen[bytes]:
        self._count += 1
        self._since = self._last_seq()
        environment = {k: v for k, v in os.environ.items() if k != VARIABLE}  # a log of its own
        arguments = ["run", str(self._spec), "--dir", str(self._directory)]
        arguments += ["--trials", str(trials)]
        return self.family.start(arguments, self._output, environment)

    def said(self) -> str:
        """Return the last line of the last run."""
        lines = self._output.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise self._stuck() from error

    def kill_in_mid_sweep(
        self, process: subprocess.Popen[bytes], *, single: bool
    ) -> tuple[Event, ...]:
        """Kill the coordinator at its first epochs; return its log, nothing if it was over.

        A single trial may be over with its first report, so it is killed when it starts.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        log, seen = None, self._since
        try:
            while process.poll() is None:
                log = log or self._open_log()
                news = [] if log is None else list(log.read(seen))
                seen += len(news)
                kinds = {type(event.what) for event in news}
                if Closed in kinds:
                    break
                if (Started if single else Reported) in kinds:
                    process.kill()
                    process.wait()
                    return self._unfinished(log)
                if time.monotonic() > deadline:
                    raise self._stuck()
                time.sleep(_POLL_SECONDS)
        finally:
            if log is not None:
                log.close()
        self.wait(process)
        return ()

    def _open_log(self) -> EventLog | None:
        try:
            return open_log(self.folder) if has_log(self.folder) else None
        except UserError:  # its tables are being made just now
            return None

    def _unfinished(self, log: EventLog | None) -> tuple[Event, ...]:
        events = () if log is None else tuple(log.read())
        over = any(isinstance(event.what, Closed) for event in events[self._since :])
        return () if over else events

    def _last_seq(self) -> int:
        log = self._open_log()
        if log is None:
            return 0
        try:
            return log.last_seq()
        finally:
            log.close()

    @property
    def _output(self) -> Path:
        return self._directory / f"{self.folder.name}.run-{self._count}.txt"

    def _stuck(self) -> SmokeStuck:
        return SmokeStuck(
            f"a smoke must end within {PATIENCE_SECONDS:g} s, but this one has not; what it said "
            f"last: {self.said() or 'nothing'}."
        )
