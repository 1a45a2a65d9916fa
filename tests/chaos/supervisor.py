"""The disturbed sweep: strikes by the schedule, and starts again whatever has ended.

It is what a supervisor (systemd, Slurm, Kubernetes) would be: it knows commands and whether their
processes live, nothing else. The coordinator's command is the same every time.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil

from tests.chaos.schedule import Strike
from tests.chaos.services import Service
from tests.nodes import Cluster, Node
from tests.processes import belonging

TICK_SECONDS = 0.1
TARGET_SECONDS = 120.0
RETRY_SECONDS = 1.0
MAX_FAILURES = 20
_T = TypeVar("_T")


class Stuck(Exception):
    """The sweep does not get on, though nobody disturbs it."""


@dataclass(frozen=True)
class Struck:
    """A strike that was carried out."""

    kind: str
    time: float
    target: str


@dataclass
class Supervisor:
    """Runs one command to its end, however often it and what it leans on are killed.

    Args:
        command: The coordinator's.
        services: By kind, what else can be killed.
        say: Takes a line for people.

    Attributes:
        struck: What was carried out, in order.
        missed: Strikes for which no target came within two minutes.
        endings: How coordinators ended that nobody killed: exit code and last line.
    """

    cluster: Cluster
    command: Sequence[str]
    services: dict[str, Service]
    folder: Path
    environment: dict[str, str]
    say: Callable[[str], None]
    struck: list[Struck] = field(default_factory=list)
    missed: list[Strike] = field(default_factory=list)
    endings: list[tuple[int, str]] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None
    _start_at: float = 0.0
    _later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _down: dict[str, float] = field(default_factory=dict)
    _draining: set[str] = field(default_factory=set)
    _failures: int = 0

    def run(self, strikes: Sequence[Strike], limit_seconds: float) -> None:
        """Return when the sweep has ended by itself.

        Raises:
            Stuck: it fails again and again, or takes longer than the limit.
        """
        began, waiting = time.monotonic(), list(strikes)
        last: float | None = None  # the first strike waits for the first worker
        while not self._tend():
            now = time.monotonic()
            if now - began > limit_seconds:
                raise Stuck(f"the sweep has not ended after {limit_seconds:.0f} seconds")
            if last is None and any(self.cluster.workers().values()):
                last = now
            overdue = now - last - waiting[0].wait_seconds if waiting and last else -1.0
            if overdue >= 0 and self._strike(waiting[0]):
                last = time.monotonic()
                waiting.pop(0)
            elif overdue > TARGET_SECONDS:
                self.missed.append(waiting.pop(0))
            time.sleep(TICK_SECONDS)
        self.missed += waiting
        for _, action in self._later:
            action()

    def close(self) -> None:
        """End the coordinator's process, if it lives."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    # -- what runs -----------------------------------------------------------------------------

    def _tend(self) -> bool:
        """Start again what has ended; return whether the sweep is done."""
        now = time.monotonic()
        for entry in [entry for entry in self._later if entry[0] <= now]:
            self._later.remove(entry)
            entry[1]()
        for node in self.cluster.revive():
            if node.starts > 1:
                self.say(f"started {node.name} again")
        for name, service in self.services.items():
            if not service.runs and now >= self._down.get(name, 0.0):
                self._down[name] = now + RETRY_SECONDS
                service.start()
        return self._tend_coordinator(now)

    def _tend_coordinator(self, now: float) -> bool:
        process = self._process
        if process is not None and process.poll() is not None:
            self._process = None
            code = process.returncode
            if code == 0:
                return True
            if code != -9:
                self._note_ending(code)
            self._start_at = now + (0.0 if code == -9 else RETRY_SECONDS)
        if self._process is None and now >= self._start_at:
            self._start_coordinator()
        return False

    def _start_coordinator(self) -> None:
        with (self.folder / "coordinator.out").open("ab") as output:
            output.write(f"\n--- {time.time():.1f}\n".encode())
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _note_ending(self, code: int) -> None:
        said = (self.folder / "coordinator.out").read_text(errors="replace")
        line = next((x.strip() for x in reversed(said.splitlines()) if x.strip()), "")
        self.endings.append((code, line))
        self.say(f"the coordinator ended by itself, code {code}: {line[:160]}")
        self._failures += 1
        if self._failures > MAX_FAILURES:
            raise Stuck(f"{self._failures} coordinators in a row ended by themselves: {line}")

    # -- strikes -------------------------------------------------------------------------------

    def _strike(self, strike: Strike) -> bool:
        """Carry a strike out; return False while it has no target."""
        target = getattr(self, f"_strike_{strike.kind}", self._strike_service)(strike)
        if target is None:
            return False
        self.struck.append(Struck(strike.kind, time.time(), target))
        self._failures = 0
        self.say(f"{len(self.struck)}: {strike.kind} {target}")
        return True

    def _strike_worker(self, strike: Strike) -> str | None:
        found = [(n, p) for n, held in self.cluster.workers().items() for p in held]
        if not found:
            return None
        name, process = _choose(found, strike)
        try:
            process.kill()
        except psutil.NoSuchProcess:
            return None
        return f"{process.pid} on {name}"

    def _strike_coordinator(self, strike: Strike) -> str | None:
        if self._process is None or self._process.poll() is not None:
            return None
        self._process.kill()
        return str(self._process.pid)

    def _strike_stall(self, strike: Strike) -> str | None:
        """Stop the coordinator: what its workers say meanwhile waits for it."""
        process = self._process
        if process is None or process.poll() is not None:
            return None
        process.send_signal(signal.SIGSTOP)
        self._after(strike.length_seconds, lambda: process.send_signal(signal.SIGCONT))
        return f"{process.pid} for {strike.length_seconds:.0f} s"

    def _strike_hang(self, strike: Strike) -> str | None:
        """Stop a worker: it lives, but answers nobody."""
        found = [(n, p) for n, held in self.cluster.workers().items() for p in held]
        if not found:
            return None
        name, process = _choose(found, strike)
        try:
            process.suspend()
        except psutil.NoSuchProcess:
            return None
        self._after(strike.length_seconds, lambda: _wake(process))
        return f"{process.pid} on {name} for {strike.length_seconds:.0f} s"

    def _strike_sink(self, strike: Strike) -> str | None:
        for process in belonging(self.folder):
            with suppress(psutil.NoSuchProcess):
                if {"sync", "--follow"} <= set(process.cmdline()):
                    process.kill()
                    return str(process.pid)
        return None

    def _strike_raylet(self, strike: Strike) -> str | None:
        node = self._standing_node(strike)
        if node is None:
            return None
        if strike.lot * 1000 % 2 < 1:
            self.cluster.kill_raylet(node)
            return node.name
        self.cluster.kill_node(node)
        return f"{node.name} with all its processes"

    def _strike_head(self, strike: Strike) -> str | None:
        if not self.cluster.head.ready:
            return None
        self.cluster.kill_node(self.cluster.head)
        return self.cluster.address

    def _strike_freeze(self, strike: Strike) -> str | None:
        node = self._standing_node(strike)
        if node is None:
            return None
        self.cluster.freeze(node)
        self._after(strike.length_seconds, lambda: self.cluster.thaw(node))
        return f"{node.name} for {strike.length_seconds:.0f} s"

    def _strike_drain(self, strike: Strike) -> str | None:
        node = self._standing_node(strike)
        if node is None or not self.cluster.head.ready:
            return None
        if not self.cluster.drain(node, round(strike.length_seconds)):
            return None
        self._draining.add(node.name)
        starts = node.starts
        self._after(strike.length_seconds, lambda: self._take_away(node, starts))
        return f"{node.name}, gone in {strike.length_seconds:.0f} s"

    def _strike_service(self, strike: Strike) -> str | None:
        service = self.services[strike.kind]
        if not service.runs:
            return None
        service.kill()
        self._down[strike.kind] = time.monotonic() + strike.length_seconds
        return f"down for {strike.length_seconds:.0f} s"

    def _standing_node(self, strike: Strike) -> Node | None:
        """Choose a node that is up, not frozen and not about to leave."""
        found = [n for n in self.cluster.nodes if n.ready and n.raylet() and not n.frozen]
        found = [node for node in found if node.name not in self._draining]
        return _choose(found, strike) if found else None

    def _take_away(self, node: Node, starts: int) -> None:
        self._draining.discard(node.name)
        if node.starts == starts:
            self.cluster.kill_node(node)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, action))


def _wake(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.resume()


def _choose(found: Sequence[_T], strike: Strike) -> _T:
    return found[int(strike.lot * len(found))]
