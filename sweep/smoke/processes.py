"""Processes that a smoke starts, and all that descend from them: none may outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_POLL_SECONDS = 0.1
_MARK = "RNN_SWEEP_SMOKE"
_ZOMBIE = "Z"
# Ray's two agents outlive a killed Ray for up to a minute, to tell its dead head of it.
_AGENTS = ("DashboardAgent", "RuntimeEnvAgent", "dashboard/agent.py", "runtime_env/agent/main.py")


class Family:
    """All processes that one smoke started, known by a variable that each inherits.

    A killed coordinator's children belong to nobody, so they are found by what they inherited.
    Ray's processes overwrite that when they give themselves a name: those are known by their
    parent, as long as it lives, and from then on by themselves. Without /proc (not Linux) only the
    processes that were started here are known.
    """

    def __init__(self) -> None:
        self._mark = f"{_MARK}={uuid.uuid4().hex}"
        self._started: list[subprocess.Popen[bytes]] = []
        self._known: set[tuple[int, int]] = set()  # process id, start time

    def start(
        self, arguments: Sequence[str], output: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start `rnn-sweep ARGUMENTS`; what it prints goes to a file, Ctrl-C does not reach it."""
        name, _, value = self._mark.partition("=")
        home = str(Path(__file__).resolve().parents[2])
        paths = [home, *filter(None, [environment.get("PYTHONPATH")])]
        with output.open("wb") as opened:
            process = subprocess.Popen(
                [sys.executable, "-m", "sweep", *arguments],
                env={**environment, name: value, "PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                stdout=opened,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def members(self) -> dict[int, str]:
        """Return the living ones' command lines by process id."""
        if not _PROC.is_dir():
            return {p.pid: "rnn-sweep" for p in self._started if p.poll() is None}
        for process in self._started:
            process.poll()
        living = _processes()
        mark = self._mark.encode()
        ours = {p.pid for p in living.values() if p.key in self._known or p.inherited(mark)}
        while more := {p.pid for p in living.values() if p.parent in ours} - ours:
            ours |= more
        self._known = {living[pid].key for pid in ours}
        return {pid: living[pid].command() for pid in ours}

    def wait_until_gone(self, patience_seconds: float) -> list[str]:
        """Wait for all to end by themselves; return what those are that have not.

        Ray's agents are not waited for, they do nothing any more.
        """
        deadline = time.monotonic() + patience_seconds
        while left := [c for c in self.members().values() if not any(a in c for a in _AGENTS)]:
            if time.monotonic() >= deadline:
                break
            time.sleep(_POLL_SECONDS)
        return left

    def end(self) -> None:
        """Kill whatever lives, and what it has started meanwhile."""
        for _ in range(10):
            members = self.members()
            if not members:
                return
            for pid in members:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)


@dataclass(frozen=True)
class _Process:
    """A living process, as /proc tells of it."""

    pid: int
    parent: int
    start_ticks: int

    @property
    def key(self) -> tuple[int, int]:
        return self.pid, self.start_ticks

    def inherited(self, mark: bytes) -> bool:
        """Return whether the variable stands in its environment."""
        with suppress(OSError):
            return mark in (_PROC / str(self.pid) / "environ").read_bytes().split(b"\0")
        return False

    def command(self) -> str:
        """Return its command line; empty once it is gone."""
        with suppress(OSError):
            words = (_PROC / str(self.pid) / "cmdline").read_bytes().split(b"\0")
            return b" ".join(words).decode(errors="replace").strip()
        return ""


def _processes() -> dict[int, _Process]:
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            # man 5 proc_pid_stat: the name may hold anything, state and parent follow it
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if fields[0] != _ZOMBIE:
                pid = int(folder.name)
                found[pid] = _Process(pid, int(fields[1]), int(fields[19]))
    return found
