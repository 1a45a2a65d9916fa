"""Who shares a cluster: each sweep says what it holds and waits for, and learns what to give up.

Ray knows no priorities. So the coordinators of one cluster meet at a board, an actor that needs no
core: a sweep of a lower priority gives workers up while one of a higher priority waits for room.
Equal priorities leave each other alone. The board dies with the sweep that made it; the next one
that wants to read it makes another.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

BOARD = "board"
EXPIRES_SECONDS = 20.0


@dataclass(frozen=True)
class Entry:
    """What one sweep says of itself.

    Attributes:
        sweep: Its unique id.
        holding: Workers that have room.
        waiting: Workers that wait for room.
    """

    sweep: str
    priority: int
    holding: int
    waiting: int


def workers_to_give(entries: Iterable[Entry], sweep: str) -> int:
    """Return how many workers a sweep shall give up, those of still lower priority giving first."""
    known = list(entries)
    mine = next((entry for entry in known if entry.sweep == sweep), None)
    if mine is None:
        return 0
    others = [entry for entry in known if entry.sweep != sweep]
    wanted = sum(entry.waiting for entry in others if entry.priority > mine.priority)
    lower = sum(entry.holding for entry in others if entry.priority < mine.priority)
    return max(min(wanted - lower, mine.holding), 0)


class Board:
    """A sweep's place at the board of the joined cluster."""

    def __init__(self, sweep: str, priority: int) -> None:
        """Say nothing yet."""
        self._sweep = sweep
        self._priority = priority
        self._actor: Any = None
        self._answer: Any = None

    def exchange(self, holding: int, waiting: int) -> int:
        """Say what this sweep holds and waits for; return how many workers it shall give up.

        It never waits: the answer is that to the last exchange, 0 where there is none yet.
        """
        import ray

        give = 0
        if self._answer is not None:
            ready, _ = ray.wait([self._answer], timeout=0)
            if not ready:
                return 0
            try:
                give = workers_to_give(ray.get(self._answer), self._sweep)
            except ray.exceptions.RayError:  # the sweep that made the board has ended
                self._actor = None
        entry = Entry(self._sweep, self._priority, holding, waiting)
        if self._actor is None:
            self._actor = (
                ray.remote(num_cpus=0, max_restarts=0)(_Board)
                .options(name=BOARD, get_if_exists=True)
                .remote()
            )
        self._answer = self._actor.exchange.remote(entry)
        return give


class _Board:
    """The actor: the latest entry of each sweep that still speaks."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[float, Entry]] = {}

    def exchange(self, entry: Entry) -> list[Entry]:
        now = time.monotonic()
        self._entries[entry.sweep] = now, entry
        self._entries = {
            sweep: (since, known)
            for sweep, (since, known) in self._entries.items()
            if now - since < EXPIRES_SECONDS
        }
        return [known for _, known in self._entries.values()]
