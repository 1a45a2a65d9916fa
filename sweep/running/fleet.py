"""The coordinator's workers: who holds what, who is well, how many there shall be.

A worker is fed until it leaves. It leaves when its node drains, when another sweep needs its room
more, or when there is nothing left for it: it then saves what it holds, and its trials wait for
another. That is no failure of theirs.
"""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.history.state import SweepState
from sweep.pruning.verdicts import Rule, rungs_of, waits_at
from sweep.work.executors import Executor
from sweep.work.protocol import Command, Continue, Lost, Reply, SaveAll

_LOG = logging.getLogger(__name__)
CALLS_IN_FLIGHT = 2
TEND_SECONDS = 1.0
RESIZE_SECONDS = 5.0
HANG_EPOCHS = 10
GIVEN_SECONDS = 15.0
"""How long workers stay given up, until those who asked for their room have taken it."""


@dataclass(frozen=True)
class HandedBack:
    """A worker that has saved what it held and is gone; its trials wait for another."""

    worker: str
    reason: str
    trials: tuple[int, ...]


class Fleet:
    """The workers of one session.

    Args:
        rule: Says where trials wait; a worker whose trials all wait is not fed.
        hang_seconds: A call that is unanswered for so long, and for ten of its trials' epochs,
            is a worker that hangs.
        wanted: How many workers there shall be, given how many fit; asked every few seconds.
        most_at_once: Trials that may train at once; None sets no limit.

    Attributes:
        held: Trials that each worker holds; only of workers that have answered.
        capacity: Trials that a worker can train together, where it has said so.
        worker_seconds: Sum of the time that workers have been there for us.
        is_elastic: Whether their number follows the cluster's nodes.
    """

    def __init__(
        self,
        executor: Executor,
        state: SweepState,
        rule: Rule,
        hang_seconds: float,
        wanted: Callable[[int | None], int],
        most_at_once: int | None = None,
    ) -> None:
        """Know no worker yet."""
        self.held: dict[str, list[int]] = {}
        self.capacity: dict[str, int] = {}
        self.worker_seconds = 0.0
        self._executor = executor
        self._state = state
        self._rule = rule
        self._hang_seconds = hang_seconds
        self._wanted = wanted
        self._most_at_once = most_at_once
        self._commands: dict[str, list[Command]] = defaultdict(list)
        self._leaving: dict[str, str] = {}
        self._tended = self._resized = time.monotonic()
        self.is_elastic = executor.room() is not None
        self._told: int | None = None
        self._given_until, self._left = -math.inf, 0
        self._listening_since = -math.inf
        self._held_back: dict[int, Continue] = {}

    # -- who there is --------------------------------------------------------------------------

    def staying(self) -> Mapping[str, list[int]]:
        """Return the workers that can be given trials, and what they hold."""
        return {w: held for w, held in self.held.items() if w not in self._leaving}

    def answering(self) -> list[str]:
        """Return the workers that have answered: a cluster may never have room for some."""
        return [worker for worker in self._executor.workers() if worker in self.held]

    def workers(self) -> list[str]:
        """Return all workers, also those that have not answered yet."""
        return list(self._executor.workers())

    def in_flight(self, workers: Iterable[str]) -> bool:
        """Return whether one of the workers owes an answer."""
        return any(self._executor.in_flight(worker) for worker in workers)

    def health(self) -> list[dict[str, Any]]:
        """Return what every worker is doing, as plain values for people elsewhere."""
        return [
            {
                "name": worker,
                "node": self._executor.node(worker),
                "state": self._state_of(worker),
                "trials": list(self.held.get(worker, [])),
            }
            for worker in self._executor.workers()
        ]

    # -- what they are told --------------------------------------------------------------------

    def tell(self, worker: str, *commands: Command) -> None:
        """Have a worker told something with its next call; one that is gone needs no telling."""
        if worker in self.held:
            self._commands[worker] += commands

    def send(self, worker: str, commands: Sequence[Command]) -> None:
        """Put a call in flight at once, whatever waits to be said."""
        self._executor.send(worker, commands)

    def poll(self, timeout_seconds: float) -> list[Reply | Lost]:
        """Wait for finished calls and lost workers.

        Raises:
            ExecutorError: workers can't be started, or the cluster is gone.
        """
        return self._executor.poll(timeout_seconds)

    def keep_busy(self) -> None:
        """Send what is to be said, and keep two calls in flight where there is work."""
        self._release()
        for worker in self._executor.workers():
            commands = self._commands.pop(worker, [])
            if commands:
                self._executor.send(worker, commands)
            while self._executor.in_flight(worker) < self._calls_wanted(worker):
                self._executor.send(worker, [])

    def note(self, reply: Reply) -> None:
        """Take note of an answer: a first one says that the worker is ready."""
        self.held.setdefault(reply.worker, [])
        if reply.capacity is not None:
            self.capacity[reply.worker] = reply.capacity

    def give(self, number: int, worker: str, *commands: Command) -> None:
        """Hand a trial to a worker."""
        self.held[worker].append(number)
        self._commands[worker] += commands

    def let_go_on(self, go: Continue) -> None:
        """Have a trial go on from its rung, as soon as no more than `most_at_once` train."""
        self._held_back[go.trial] = go
        self._release()

    def _release(self) -> None:
        if not self._held_back:
            return
        held = {number: worker for worker, numbers in self.held.items() for number in numbers}
        training = sum(not self._waits(number) for number in held)
        room = len(held) if self._most_at_once is None else self._most_at_once - training
        for number in list(self._held_back):
            if number in held and room <= 0:
                continue
            go = self._held_back.pop(number)
            if number in held:
                self.tell(held[number], go)
                room -= 1

    def take_back(self, number: int, worker: str) -> None:
        """Note that a worker no longer holds a trial."""
        self._held_back.pop(number, None)
        held = self.held.get(worker, [])
        if number in held:
            held.remove(number)

    def drop(self, worker: str, slots: int) -> tuple[list[int], list[int]]:
        """Forget a worker that died.

        Returns:
            The trials that it held, and those among them that it was training.
        """
        held = self.held.pop(worker, [])
        self._commands.pop(worker, None)
        self._leaving.pop(worker, None)
        slots = self.capacity.pop(worker, slots)
        training = self._training_of(held, slots)
        for number in held:
            self._held_back.pop(number, None)
        return held, training

    def training(self, slots: int) -> list[int]:
        """Return the trials that train now, not those that wait or stand by.

        Args:
            slots: What a worker trains at once, where it has not said so.
        """
        return [
            number
            for worker, held in self.held.items()
            for number in self._training_of(held, self.capacity.get(worker, slots))
        ]

    def seconds_there(self) -> float:
        """Return `worker_seconds` up to this moment."""
        return self.worker_seconds + len(self.held) * (time.monotonic() - self._tended)

    def resized(self) -> int | None:
        """Return how many workers there are, where that has changed with the cluster's nodes."""
        if not self.is_elastic or len(self.held) == self._told:
            return None
        self._told = len(self.held)
        return self._told

    # -- how they are --------------------------------------------------------------------------

    def tend(self) -> None:
        """Look after the workers, once a second: drained nodes, hung workers, their number.

        Raises:
            ClusterError: the whole cluster has gone.
        """
        now = time.monotonic()
        if now - self._tended < TEND_SECONDS:
            return
        self.worker_seconds += len(self.held) * (now - self._tended)
        if now - self._tended > TEND_SECONDS + self._hang_seconds / 4:
            self._listening_since = now  # a log that was away, a process that was stopped
        self._tended = now
        for worker in self._executor.leaving():
            self.dismiss(worker, "its node is being drained")
        for worker in self.answering():
            self._replace_hung(worker)
        if now - self._resized >= RESIZE_SECONDS:
            self._resized = now
            self._resize()

    def dismiss(self, worker: str, reason: str) -> None:
        """Have a worker save what it holds; `handed_back` tells when it has."""
        if worker in self._leaving or worker not in self.held:
            return
        self._leaving[worker] = reason
        if self.held[worker]:
            self._commands[worker].append(SaveAll())

    def handed_back(self) -> list[HandedBack]:
        """Return the workers that have saved what they held, and let them go."""
        found = []
        living = self._executor.workers()
        for worker, reason in list(self._leaving.items()):
            if worker not in living or self._commands.get(worker):
                continue
            if self._executor.in_flight(worker):
                continue
            trials = tuple(self.held.pop(worker))
            self.drop(worker, 1)
            self._executor.retire(worker)
            found.append(HandedBack(worker, reason, trials))
        return found

    def _resize(self) -> None:
        count = self._wanted(self._executor.room())
        count = min(count, self._left_by_others(count))
        self._executor.resize(count)
        surplus = len(self._executor.workers()) - count
        idle = [w for w in self.answering() if not self.held[w] and w not in self._leaving]
        for worker in idle[: max(surplus, 0)]:
            self.dismiss(worker, "there is nothing left for it")

    def _left_by_others(self, wanted: int) -> int:
        """Give up what sweeps of higher priority wait for; return how many workers may be ours."""
        now = time.monotonic()
        holding = sorted(self.staying(), key=lambda worker: len(self.held[worker]))
        give = self._executor.to_give(len(holding), wanted - len(holding))
        if give and now >= self._given_until:
            self._given_until = now + GIVEN_SECONDS
            self._left = len(holding) - give
            for worker in holding[:give]:
                self.dismiss(worker, "a sweep of higher priority needs its room")
        return self._left if now < self._given_until else wanted

    def _replace_hung(self, worker: str) -> None:
        silent = self._silent_seconds(worker)
        if silent < self._hang_seconds:
            return
        epochs = (self._epoch_seconds(number) for number in self.held[worker])
        if silent >= HANG_EPOCHS * max(epochs, default=0.0):
            reason = f"it hung: no answer for {silent:.0f} seconds"
            self._executor.kill(worker, reason)

    def _silent_seconds(self, worker: str) -> float:
        """Return how long a worker has been silent while somebody listened.

        What it said to a coordinator that was busy elsewhere waits to be collected.
        """
        return min(self._executor.silent_seconds(worker), time.monotonic() - self._listening_since)

    def _epoch_seconds(self, number: int) -> float:
        trial = self._state.trials[number]
        return trial.train_seconds / trial.epoch if trial.epoch else 0.0

    def _calls_wanted(self, worker: str) -> int:
        if worker not in self.held:
            return 1  # a new worker: its first answer says that it is ready
        if worker in self._leaving:
            return 0
        busy = any(not self._waits(number) for number in self.held[worker])
        return CALLS_IN_FLIGHT if busy else 0

    def _training_of(self, held: Iterable[int], slots: int) -> list[int]:
        return [number for number in held if not self._waits(number)][:slots]

    def _waits(self, number: int) -> bool:
        trial = self._state.trials[number]
        return number in self._held_back or waits_at(trial, rungs_of(self._rule, trial))

    def _state_of(self, worker: str) -> str:
        if worker not in self.held:
            return "starting"
        if worker in self._leaving:
            return "leaving"
        if self._silent_seconds(worker) > self._hang_seconds / 2:
            return "silent"
        return "training" if self._calls_wanted(worker) else "idle"
