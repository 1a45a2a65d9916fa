"""Where workers live: Ray actors, or (their twin for tests and debugging) this process.

Both obey one conformance suite (tests/sweep/test_executors.py). A call is plain request and
response: `send` puts one `advance` in flight, `poll` returns finished calls and lost workers.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from cluster.connect import connect, disconnect
from sweep.errors import ExecutorError
from sweep.protocol import Command, Lost, Reply, WorkerSettings
from trainers.errors import TrainerError

if TYPE_CHECKING:
    from sweep.worker import Worker
    from trainers.data.contract import SequenceData

MAX_STILLBORN = 3
_MENDABLE = (OSError, MemoryError, TrainerError)
"""What may stop a worker from saving or evaluating without being a bug of ours."""


class Executor(Protocol):
    """Runs workers; a lost worker is replaced by a new one under a new name."""

    def connect(self, workers: int, data_bytes: int) -> None:
        """Reach the place where workers will live; nothing of the sweep is written before."""
        ...

    def device(self, wanted: str) -> str:
        """Return cpu or cuda: what workers will train on; `auto` takes what there is.

        Raises:
            ExecutorError: cuda is wanted where there is no GPU.
        """
        ...

    def start(self, data: SequenceData, settings: WorkerSettings, workers: int) -> None:
        """Start the workers; they hold `data` until `close`."""
        ...

    def workers(self) -> tuple[str, ...]:
        """Return the names of the living workers."""
        ...

    def send(self, worker: str, commands: Sequence[Command]) -> None:
        """Put one call of `advance(commands)` in flight; calls of a worker run in order."""
        ...

    def in_flight(self, worker: str) -> int:
        """Return how many calls of the worker have not been answered."""
        ...

    def poll(self, timeout_seconds: float) -> list[Reply | Lost]:
        """Wait for something to happen, at most `timeout_seconds`; return all that has.

        Raises:
            ExecutorError: a worker could not save or evaluate, or workers don't start.
        """
        ...

    def kill(self, worker: str) -> None:
        """End a worker as a crash would, with the calls in flight."""
        ...

    def close(self) -> None:
        """End all workers."""
        ...


class InProcessExecutor:
    """Workers in this process, one call at a time; for tests and debugging."""

    def __init__(self) -> None:
        """Hold no worker yet."""
        self._workers: dict[str, Worker] = {}
        self._calls: deque[tuple[str, tuple[Command, ...]]] = deque()
        self._lost: list[Lost] = []
        self._count = 0

    def connect(self, workers: int, data_bytes: int) -> None:
        """Do nothing: we are here."""

    def device(self, wanted: str) -> str:
        """Return cpu unless cuda is asked for: the twin is no place for long training."""
        return "cpu" if wanted == "auto" else wanted

    def start(self, data: SequenceData, settings: WorkerSettings, workers: int) -> None:
        """Build the workers."""
        self._data, self._settings = data, settings
        for _ in range(workers):
            self._spawn()

    def workers(self) -> tuple[str, ...]:
        """Return the names of the living workers."""
        return tuple(self._workers)

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
        except _MENDABLE as error:
            raise _failed(name, error) from error

    def kill(self, worker: str) -> None:
        """Lose the worker and its calls; a new one takes its place."""
        del self._workers[worker]
        self._calls = deque(call for call in self._calls if call[0] != worker)
        self._lost.append(Lost(worker, "killed"))
        self._spawn()

    def close(self) -> None:
        """Forget all workers."""
        self._workers.clear()
        self._calls.clear()

    def _spawn(self) -> None:
        from sweep.worker import Worker

        name = f"local-{self._count}"
        self._count += 1
        self._workers[name] = Worker(name, self._data, self._settings)


class RayExecutor:
    """One Ray actor a worker, each with one CPU core, warm from first trial to last."""

    def __init__(self, address: str | None = None) -> None:
        """Remember where to connect."""
        self._address = address
        self._actors: dict[str, Any] = {}
        self._calls: dict[Any, str] = {}
        self._in_flight: dict[str, int] = {}
        self._answered: set[str] = set()
        self._stillborn = 0
        self._count = 0
        self._connected = False

    def connect(self, workers: int, data_bytes: int) -> None:
        """Join the cluster, or start Ray here with one core a worker."""
        if not self._connected:
            connect(self._address, workers, data_bytes)
            self._connected = True

    def device(self, wanted: str) -> str:
        """Return cuda where the cluster has GPUs and nobody asks for the cpu."""
        import ray

        gpus = ray.cluster_resources().get("GPU", 0)  # type: ignore[no-untyped-call]
        if wanted == "cuda" and not gpus:
            raise ExecutorError(
                "run.device=cuda needs a cluster with GPUs, but this one has none; set run.device "
                "to auto or cpu, or name another --address."
            )
        return "cuda" if gpus and wanted != "cpu" else "cpu"

    def start(self, data: SequenceData, settings: WorkerSettings, workers: int) -> None:
        """Put the data once and start the actors."""
        import ray

        self.connect(workers, 0)
        self._settings = settings
        self._data = ray.put(data)
        gpus = 1 if settings.device == "cuda" else 0
        self._actor_class = ray.remote(
            num_cpus=1, num_gpus=gpus, max_restarts=0, max_task_retries=0
        )(_Actor)
        for _ in range(workers):
            self._spawn()

    def workers(self) -> tuple[str, ...]:
        """Return the names of the living workers."""
        return tuple(self._actors)

    def send(self, worker: str, commands: Sequence[Command]) -> None:
        """Call the actor."""
        reference = self._actors[worker].advance.remote(tuple(commands))
        self._calls[reference] = worker
        self._in_flight[worker] += 1

    def in_flight(self, worker: str) -> int:
        """Return how many calls have not been answered."""
        return self._in_flight[worker]

    def poll(self, timeout_seconds: float) -> list[Reply | Lost]:
        """Collect every answered call, in the order in which they were made."""
        import ray

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

    def kill(self, worker: str) -> None:
        """Kill the actor; `poll` will find it dead."""
        import ray

        ray.kill(self._actors[worker])

    def close(self) -> None:
        """Kill the actors and leave the cluster."""
        import ray

        for actor in self._actors.values():
            ray.kill(actor)
        self._actors.clear()
        self._calls.clear()
        if self._connected:
            disconnect()
            self._connected = False

    def _collect(self, reference: Any) -> Reply | Lost | None:
        import ray

        worker = self._calls.pop(reference, None)
        if worker is None:  # belongs to a worker that was found dead in this very round
            return None
        try:
            reply: Reply = ray.get(reference)
        except (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError) as error:
            return self._bury(worker, str(error).strip().splitlines()[0])
        except ray.exceptions.RayTaskError as error:
            self._in_flight[worker] -= 1
            if not isinstance(error.cause, _MENDABLE):
                raise  # a bug, which needs its traceback
            raise _failed(worker, error.cause) from error
        self._in_flight[worker] -= 1
        self._answered.add(worker)
        return reply

    def _bury(self, worker: str, reason: str) -> Lost:
        self._calls = {ref: name for ref, name in self._calls.items() if name != worker}
        del self._actors[worker], self._in_flight[worker]
        self._stillborn = 0 if worker in self._answered else self._stillborn + 1
        if self._stillborn >= MAX_STILLBORN:
            raise ExecutorError(
                f"workers must start, but {MAX_STILLBORN} in a row died before their first answer: "
                f"{reason}"
            )
        self._spawn()
        return Lost(worker, reason)

    def _spawn(self) -> None:
        name = f"worker-{self._count}"
        self._count += 1
        self._actors[name] = self._actor_class.remote(name, self._data, self._settings)
        self._in_flight[name] = 0


def _failed(worker: str, cause: Exception) -> ExecutorError:
    """Say what went wrong outside a trial's training: no room for a checkpoint, say."""
    return ExecutorError(
        f"workers must be able to save and evaluate trials, but {worker} could not: "
        f"{type(cause).__name__}: {cause}; mend that, then the same command goes on."
    )


class _Actor:
    """The Ray side of a worker."""

    def __init__(self, name: str, data: SequenceData, settings: WorkerSettings) -> None:
        from sweep.worker import Worker

        self._worker = Worker(name, data, settings)

    def advance(self, commands: Sequence[Command]) -> Reply:
        return self._worker.advance(commands)
