"""One Ray actor a worker, warm from first trial to last, on this machine or on a cluster."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cluster import nodes
from cluster.board import Board
from cluster.connect import connect, disconnect
from cluster.errors import HeadLost
from cluster.nodes import Needs
from sweep.errors import ConfigProblem, ExecutorError
from sweep.work.executors.aside import Aside, OnRay, Work
from sweep.work.executors.interface import MENDABLE, failed
from sweep.work.protocol import Command, Lost, Reply, WorkerSettings
from trainers.errors import DeviceLost

if TYPE_CHECKING:
    from trainers.data.choices import DataChoices

MAX_FAILED_STARTS = 3
MAX_LOST_EARLY = 20
HEAD_MISSES = 2
"""Probes in a row that the head may miss."""


@dataclass
class _Seat:
    """One actor and what is known of it."""

    actor: Any
    place: Any  # a reference to (node id, process id), then that pair itself
    in_flight: int = 0
    answered: bool = False
    since: float = field(default_factory=time.monotonic)

    @property
    def node_id(self) -> str:
        return self.place[0] if isinstance(self.place, tuple) else ""


class RayExecutor:
    """One Ray actor a worker; where there is no room yet, an actor waits for it."""

    def __init__(
        self, address: str | None = None, needs: Needs | None = None, priority: int = 0
    ) -> None:
        """Remember where to connect, what a worker reserves there, and who goes first."""
        self._address = address
        self._board = Board(uuid.uuid4().hex, priority)
        self._needs = needs or Needs()
        self._seats: dict[str, _Seat] = {}
        self._calls: dict[Any, str] = {}
        self._lost: list[Lost] = []
        self._hosts: dict[str, str] = {}
        self._devices: dict[str, str] = {}
        self._failed_starts = self._lost_early = self._head_misses = 0
        self._wanted = 0
        self._count = 0
        self._head = ""
        self._connected = False

    # -- the place -----------------------------------------------------------------------------

    def connect(self, workers: int, data_bytes: int) -> None:
        """Join the cluster, or start Ray here with the cores of all workers."""
        if not self._connected:
            connect(self._address, int(workers * max(self._needs.cpus, 1)), data_bytes)
            self._head = nodes.head_address()
            self._connected = True

    def device(self, wanted: str) -> str:
        """Return cuda where the cluster has GPUs and nobody asks for the cpu; asks it once."""
        if wanted not in self._devices:
            self._devices[wanted] = self._choose_device(wanted)
        return self._devices[wanted]

    def _choose_device(self, wanted: str) -> str:
        patience = 0.0 if self._address is None else nodes.FIRST_WORD_SECONDS
        began, must = time.monotonic(), wanted == "cuda"
        gpus = wanted != "cpu" and nodes.has_gpus(self._needs, patience, wanted=must)
        if wanted == "cuda" and not gpus:
            raise ConfigProblem(
                "run.device=cuda needs a cluster with GPUs, but this one has none; set run.device "
                "to auto or cpu, or name another --address."
            )
        device = "cuda" if gpus else "cpu"
        if device == "cuda" and not self._needs.gpus:
            self._needs = replace(self._needs, gpus=1)
        nodes.check_room(self._needs, patience - (time.monotonic() - began))
        return device

    def room(self) -> int | None:
        """Return how many workers the joined cluster holds when empty; None on a Ray of our own."""
        return None if self._address is None else nodes.room(self._needs)

    def gpus(self) -> float:
        """Return how many GPUs a worker holds."""
        return self._needs.gpus

    def start(self, data: DataChoices, settings: WorkerSettings, workers: int) -> None:
        """Put the data once and start the actors."""
        import ray

        self.connect(workers, 0)
        self._settings = settings
        self._data = ray.put(data)
        options = {"max_restarts": 0, "max_task_retries": 0, **self._needs.options()}
        self._actor_class = ray.remote(**options)(_Actor)
        self.resize(workers)

    def resize(self, workers: int) -> None:
        """Start actors up to a number; of too many, those end that have not answered yet."""
        waiting = any(not seat.answered for seat in self._seats.values())
        if self._address is not None and (workers != self._wanted or waiting):
            nodes.ask_for(self._needs, workers)  # again: another sweep's wish takes its place
        self._wanted = workers
        surplus = len(self._seats) - workers
        unborn = [name for name, seat in self._seats.items() if not seat.answered]
        for name in unborn[: max(surplus, 0)]:
            self._remove(name)
        while len(self._seats) < workers:
            self._spawn()

    # -- the workers ---------------------------------------------------------------------------

    def workers(self) -> tuple[str, ...]:
        """Return the names of the workers, those included that wait for room."""
        return tuple(self._seats)

    def node(self, worker: str) -> str:
        """Return the address of a worker's node; empty while that is unknown."""
        seat = self._seats.get(worker)
        if seat is None or not seat.node_id:
            return ""
        if seat.node_id not in self._hosts:
            self._hosts = {node.node_id: node.host for node in nodes.nodes()}
        return self._hosts.get(seat.node_id, seat.node_id[:8])

    def leaving(self) -> set[str]:
        """Return the workers on draining nodes; say when the head is gone."""
        if nodes.answers(self._head):
            self._head_misses = 0
        else:
            self._head_misses += 1
            if self._head_misses < HEAD_MISSES:
                return set()
            raise HeadLost(self._head)
        gone = nodes.draining()
        return {name for name, seat in self._seats.items() if gone and seat.node_id in gone}

    def to_give(self, holding: int, waiting: int) -> int:
        """Return how many workers sweeps of higher priority need; a Ray of our own has none."""
        return 0 if self._address is None else self._board.exchange(holding, waiting)

    def retire(self, worker: str) -> None:
        """End a worker without calling it lost."""
        self._remove(worker)
        self.resize(self._wanted)

    def silent_seconds(self, worker: str) -> float:
        """Return how long a worker that has answered before has left a call unanswered."""
        seat = self._seats.get(worker)
        if seat is None or not seat.answered or not seat.in_flight:
            return 0.0
        return time.monotonic() - seat.since

    def send(self, worker: str, commands: Sequence[Command]) -> None:
        """Call the actor."""
        seat = self._seats[worker]
        self._calls[seat.actor.advance.remote(tuple(commands))] = worker
        if not seat.in_flight:
            seat.since = time.monotonic()
        seat.in_flight += 1

    def in_flight(self, worker: str) -> int:
        """Return how many calls have not been answered."""
        return self._seats[worker].in_flight

    def poll(self, timeout_seconds: float) -> list[Reply | Lost]:
        """Collect every answered call, in the order in which they were made."""
        import ray

        lost, self._lost = self._lost, []
        if lost:
            return list(lost)
        if not self._calls:
            time.sleep(timeout_seconds)
            return []
        pending = list(self._calls)
        ready, _ = ray.wait(pending, num_returns=1, timeout=timeout_seconds)
        if ready:
            ready, _ = ray.wait(pending, num_returns=len(pending), timeout=0)
        done = set(ready)
        found = (self._collect(reference) for reference in pending if reference in done)
        return [item for item in found if item is not None]

    def kill(self, worker: str, reason: str = "killed") -> None:
        """Kill the actor and its process, which may be past listening."""
        place = self._seats[worker].place
        self._remove(worker)
        if isinstance(place, tuple):
            nodes.end_process(*place)
        self._lost.append(Lost(worker, reason))
        self.resize(self._wanted)

    def aside(self, work: Work) -> Aside:
        """Start an actor that reserves nothing; it reads the data where they lie."""
        return OnRay(work, self._data)

    def close(self) -> None:
        """Kill the actors and leave the cluster; of one whose head is gone nothing can be asked."""
        head_lives = self._connected and self._head_misses < HEAD_MISSES
        if head_lives:
            for worker in self.workers():
                self._remove(worker)
            if self._address is not None and self._wanted:
                nodes.ask_for(self._needs, 0)
        self._seats.clear()
        self._calls.clear()
        if head_lives:
            disconnect()
        self._connected = False

    # -- what becomes of calls -------------------------------------------------------------------

    def _collect(self, reference: Any) -> Reply | Lost | None:
        import ray

        worker = self._calls.pop(reference, None)
        if worker is None:  # belongs to a worker that was found dead in this very round
            return None
        errors = ray.exceptions
        dead = (errors.RayActorError, errors.ObjectLostError, errors.OutOfMemoryError)
        try:
            reply: Reply = ray.get(reference)
        except (*dead, errors.ActorUnschedulableError, errors.RaySystemError) as error:
            return self._bury(worker, error)
        except errors.RayTaskError as error:
            self._seats[worker].in_flight -= 1
            if isinstance(error.cause, DeviceLost):
                self.kill(worker, str(error.cause))
                return None
            if not isinstance(error.cause, MENDABLE):
                raise  # a bug, which needs its traceback
            raise failed(worker, error.cause) from error
        self._answer(self._seats[worker])
        return reply

    def _answer(self, seat: _Seat) -> None:
        import ray

        seat.in_flight -= 1
        seat.since = time.monotonic()
        if not seat.answered:
            seat.answered = True
            seat.place = ray.get(seat.place)  # answered before the first call, in actor order
            self._failed_starts = self._lost_early = 0

    def _bury(self, worker: str, error: Exception) -> Lost:
        seat = self._seats[worker]
        reason = _reason(error)
        self._forget(worker)
        if not seat.answered:
            self._count_early_death(error, reason)
        self.resize(self._wanted)
        return Lost(worker, reason, own_death=not self._by_its_node(seat, error))

    def _count_early_death(self, error: Exception, reason: str) -> None:
        """Give up on workers that can't start: at once for an error of ours, later for kills."""
        self._failed_starts += bool(getattr(error, "actor_init_failed", False))
        self._lost_early += 1
        if self._failed_starts >= MAX_FAILED_STARTS or self._lost_early >= MAX_LOST_EARLY:
            raise ExecutorError(
                f"workers must start, but {self._lost_early} in a row died before their first "
                f"answer: {reason}"
            )

    def _by_its_node(self, seat: _Seat, error: Exception) -> bool:
        """Return whether a worker died because its node did."""
        if getattr(error, "preempted", False) or "node has died" in str(error):
            return True
        return bool(seat.node_id) and not nodes.lives(seat.node_id)

    def _remove(self, worker: str) -> None:
        import ray

        actor = self._seats[worker].actor
        self._forget(worker)
        ray.kill(actor)

    def _forget(self, worker: str) -> None:
        self._calls = {ref: name for ref, name in self._calls.items() if name != worker}
        del self._seats[worker]

    def _spawn(self) -> None:
        name = f"worker-{self._count}"
        self._count += 1
        actor: Any = self._actor_class.remote(name, self._data, self._settings)
        self._seats[name] = _Seat(actor, actor.where.remote())


def _reason(error: Exception) -> str:
    """Return why an actor died, in one line: Ray's own words without its list of facts."""
    lines = [line for line in str(error).splitlines() if line and not line.startswith("\t")]
    told = [line for line in lines if "unexpectedly before finishing" not in line] or lines
    words = " ".join(told[:2]).partition(" Node Id: ")[0]
    return " ".join(words.split())[:300] or repr(error)


class _Actor:
    """The Ray side of a worker."""

    def __init__(self, name: str, data: DataChoices, settings: WorkerSettings) -> None:
        from sweep.work.worker import Worker

        self._worker = Worker(name, data, settings)

    def where(self) -> tuple[str, int]:
        import os

        import ray

        return ray.get_runtime_context().get_node_id(), os.getpid()

    def advance(self, commands: Sequence[Command]) -> Reply:
        return self._worker.advance(commands)
