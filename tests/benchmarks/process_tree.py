"""Processor seconds of a command and of every process that descends from it, by role, over time.

Read from /proc (Linux) a few times a second: Ray's daemons leave the family tree when the driver
ends, and its workers' times are accounted to nobody, so asking the kernel at the end is too late.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import ROOT

_INTERVAL_SECONDS = 0.2
_LINGER_SECONDS = 90.0
_TICKS = os.sysconf("SC_CLK_TCK")
_ROLES = (  # the first that is found in the command line; the raylet's names all its children
    ("raylet/raylet", "raylet"),
    ("gcs_server", "gcs"),
    ("ray::", "worker"),
    ("default_worker.py", "worker"),
    (" sync ", "sink"),
    ("/ray/", "ray daemons"),
)


@dataclass
class Usage:
    """Processor seconds by role at moments of unix time; cumulative.

    Attributes:
        probes: What the caller's probe returned at each moment.
    """

    times: list[float] = field(default_factory=list)
    seconds: list[dict[str, float]] = field(default_factory=list)
    probes: list[float] = field(default_factory=list)

    def between(self, start: float, stop: float) -> dict[str, float]:
        """Return the processor seconds by role from one moment to another, interpolated."""
        first, last = self._at(start), self._at(stop)
        return {role: last[role] - first.get(role, 0.0) for role in last}

    def first_time(self, reached: float) -> float:
        """Return the first moment at which the probe had reached a value; the last if never."""
        found = (t for t, probe in zip(self.times, self.probes, strict=True) if probe >= reached)
        return next(found, self.times[-1])

    def total(self) -> dict[str, float]:
        """Return all processor seconds by role."""
        return dict(self.seconds[-1])

    def _at(self, moment: float) -> dict[str, float]:
        after = min(bisect_left(self.times, moment), len(self.times) - 1)
        before = max(after - 1, 0)
        span = self.times[after] - self.times[before]
        share = (moment - self.times[before]) / span if span else 0.0
        share = min(max(share, 0.0), 1.0)
        old, new = self.seconds[before], self.seconds[after]
        return {role: (1 - share) * old.get(role, 0.0) + share * new[role] for role in new}


@dataclass(frozen=True)
class Measured:
    """A command that was run to its end.

    Attributes:
        answer: The JSON object of its last line of output.
        usage: What it and its descendants used.
        wall_seconds: From its start to the end of its first process.
        lingered_seconds: From there to the end of its last.
    """

    answer: dict[str, Any]
    usage: Usage
    wall_seconds: float
    lingered_seconds: float


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a benchmark's child: one thread each, nothing sent anywhere."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    fixed = {
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONWARNINGS": "ignore",
    }
    inherited = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    return inherited | fixed | more


def run(
    module: str, arguments: Mapping[str, Any], probe: Callable[[], float] | None = None
) -> Measured:
    """Run `python -m module JSON` and account for all its processes.

    `probe` is called with every sample; see `Usage`.

    Raises:
        RuntimeError: it failed; the end of its error output is in the message.
    """
    command = [sys.executable, "-m", module, json.dumps(dict(arguments))]
    with tempfile.TemporaryFile("w+") as errors, tempfile.TemporaryFile("w+") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=output, stderr=errors, text=True
        )
        recorder = _Recorder(process.pid, probe or (lambda: 0.0))
        recorder.start()
        code = process.wait()
        wall = time.monotonic() - began
        recorder.finish()
        lingered = time.monotonic() - began - wall
        output.seek(0)
        errors.seek(0)
        if code:
            raise RuntimeError(f"{module} ended with {code}: {errors.read()[-3000:]}")
        answer = json.loads(output.read().strip().splitlines()[-1])
    return Measured(answer, recorder.usage, wall, lingered)


class _Recorder(threading.Thread):
    """Samples a process and its descendants until all of them are gone."""

    def __init__(self, root: int, probe: Callable[[], float]) -> None:
        super().__init__(daemon=True)
        self._probe = probe
        self.usage = Usage()
        self._root = root
        self._family: dict[tuple[int, str], float] = {}  # (pid, start time): seconds
        self._roles: dict[tuple[int, str], str] = {}
        self._ended: float | None = None

    def run(self) -> None:
        while True:
            alive = self._sample()
            lingers = self._ended is not None and time.monotonic() - self._ended < _LINGER_SECONDS
            if self._ended is not None and (not alive or not lingers):
                return
            time.sleep(_INTERVAL_SECONDS)

    def finish(self) -> None:
        """Go on until the descendants that outlive the first process are gone."""
        self._ended = time.monotonic()
        self.join()

    def _sample(self) -> int:
        """Take one sample; return how many of the family live."""
        now = time.time()
        found = _processes()
        known = {pid for pid, start in self._family if found.get(pid, _GONE).start == start}
        known.add(self._root)
        grown = True
        while grown:
            children = {pid for pid, seen in found.items() if seen.parent in known} - known
            known |= children
            grown = bool(children)
        alive = 0
        for pid in known & found.keys():
            seen = found[pid]
            key = (pid, seen.start)
            self._family[key] = seen.seconds
            alive += not seen.zombie
            self._roles[key] = self._role(pid, self._roles.get(key, "main"))
        totals: dict[str, float] = defaultdict(float)
        for key, seconds in self._family.items():
            totals[self._roles[key]] += seconds
        self.usage.probes.append(self._probe())
        self.usage.times.append(now)
        self.usage.seconds.append(dict(totals))
        return alive

    def _role(self, pid: int, before: str) -> str:
        if pid == self._root:
            return "main"
        try:
            text = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            return before
        return next((role for part, role in _ROLES if part in text), before)


@dataclass(frozen=True)
class _Process:
    parent: int
    start: str
    seconds: float
    zombie: bool


_GONE = _Process(0, "", 0.0, True)


def _processes() -> dict[int, _Process]:
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                text = Path(entry.path, "stat").read_text()
            except (OSError, UnicodeDecodeError):
                continue
            # The name in parentheses may hold anything; fields count from its end (proc(5)).
            fields = text.rpartition(")")[2].split()
            seconds = (int(fields[11]) + int(fields[12])) / _TICKS
            state, parent, start = fields[0], int(fields[1]), fields[19]
            found[int(entry.name)] = _Process(parent, start, seconds, state in "ZX")
    return found


def answer(values: Mapping[str, Any]) -> None:
    """Print what `run` returns as `Measured.answer`; the last thing a child does."""
    print(json.dumps(dict(values)), flush=True)


def arguments(argv: Sequence[str]) -> dict[str, Any]:
    """Read what `run` was given."""
    return dict(json.loads(argv[1]))
