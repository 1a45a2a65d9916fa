"""Workers in this process, one call at a time: the twin of Ray's, for tests and debugging."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sweep.work.executors.aside import Aside, DoneHere, Work
from sweep.work.executors.interface import MENDABLE, failed
from sweep.work.protocol import Command, Lost, Reply, WorkerSettings
from trainers.errors import DeviceLost

if TYPE_CHECKING:
    from sweep.work.worker import Worker
    from trainers.data.choices import DataChoices


class InProcessExecutor:
    """Workers in this process, one call at a time; for tests and debugging."""

    def __init__(self) -> None:
        """Hold no worker yet."""
        self._workers: dict[str, Worker] = {}
        self._calls: deque[tuple[str, tuple[Command, ...]]] = deque()
        self._lost: list[Lost] = []
        self._count = 0
        self._wanted = 0

    def connect(self, workers: int, data_bytes: int) -> None:
        """Do nothing: we are here."""

    def device(self, wanted: str) -> str:
        """Return cpu unless cuda is asked for: the twin is no place for long training."""
        return "cpu" if wanted == "auto" else wanted

    def room(self) -> int | None:
        """Return None: as many fit as are asked for."""
        return None

    def gpus(self) -> float:
        """Return 0."""
        return 0.0

    def start(self, data: DataChoices, settings: WorkerSettings, workers: int) -> None:
        """Build the workers."""
        self._data, self._settings = data, settings
        self.resize(workers)

    def workers(self) -> tuple[str, ...]:
        """Return the names of the living workers."""
        return tuple(self._workers)

    def node(self, worker: str) -> str:
        """Return the one node there is."""
        return "here"

    def resize(self, workers: int) -> None:
        """Build what is missing; too many stay, since all of them have started."""
        self._wanted = workers
        while len(self._workers) < workers:
            self._spawn()

    def leaving(self) -> set[str]:
        """Return nobody: this node stays as long as the process."""
        return set()

    def to_give(self, holding: int, waiting: int) -> int:
        """Return 0: nobody shares this process."""
        return 0

    def retire(self, worker: str) -> None:
        """Forget a worker."""
        del self._workers[worker]
        self._forget_calls(worker)
        self.resize(self._wanted)

    def silent_seconds(self, worker: str) -> float:
        """Return 0: a call is answered when it is made."""
        return 0.0

    def send(self, worker: str, commands: Sequence[Command]) -> None:
        """Queue a call."""
        self._calls.append((worker, tuple(commands)))

    def in_flight(self, worker: str) -> int:
        """Return how many calls are queued."""
        return sum(name == worker for name, _ in self._calls)

    def poll(self, timeout_seconds: float) -> list[Reply | Lost]:
        """Run the oldest call, or report the workers lost since."""
        lost, self._lost = self._lost, []
        if lost:
            return list(lost)
        if not self._calls:
            return []
        name, commands = self._calls.popleft()
        try:
            return [self._workers[name].advance(commands)]
        except DeviceLost as error:
            self.kill(name, str(error))
            return []
        except MENDABLE as error:
            raise failed(name, error) from error

    def kill(self, worker: str, reason: str = "killed") -> None:
        """Lose the worker and its calls; a new one takes its place."""
        self.retire(worker)
        self._lost.append(Lost(worker, reason))

    def aside(self, work: Work) -> Aside:
        """Do it at once."""
        return DoneHere(work, self._data)

    def close(self) -> None:
        """Forget all workers."""
        self._workers.clear()
        self._calls.clear()

    def _forget_calls(self, worker: str) -> None:
        self._calls = deque(call for call in self._calls if call[0] != worker)

    def _spawn(self) -> None:
        from sweep.work.worker import Worker

        name = f"local-{self._count}"
        self._count += 1
        self._workers[name] = Worker(name, self._data, self._settings)
