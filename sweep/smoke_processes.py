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
    Without /proc (not Linux) only the processes that were started here are known.
    """

    def __init__(self) -> None:
        self._mark = f"{_MARK}={uuid.uuid4().hex}"
        self._started: list[subprocess.Popen[bytes]] = []

    def start(
        self, arguments: Sequence[str], output: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start `rnn-sweep ARGUMENTS`; what it prints goes to a file, Ctrl-C does not reach it."""
        name, _, value = self._mark.partition("=")
        home = str(Path(__file__).resolve().parent.parent)
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
        mark, found = self._mark.encode(), {}
        for folder in _PROC.glob("[0-9]*"):
            with suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0") and _lives(folder):
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    found[int(folder.name)] = b" ".join(words).decode(errors="replace").strip()
        return found

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


def _lives(folder: Path) -> bool:
    return (folder / "stat").read_text().rpartition(")")[2].split()[0] != _ZOMBIE
