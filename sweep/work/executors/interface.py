"""What the coordinator may ask of the place where workers live.

All executors obey one conformance suite (tests/sweep/work/test_executors.py). A call is plain
request and response: `send` puts one `advance` in flight, `poll` returns finished calls and lost
workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from sweep.errors import ExecutorError
from sweep.work.protocol import Command, Lost, Reply, WorkerSettings
from trainers.errors import TrainerError

if TYPE_CHECKING:
    from sweep.work.executors.aside import Aside, Work
    from trainers.data.choices import DataChoices

MENDABLE = (OSError, MemoryError, TrainerError)
"""What may stop a worker from saving or evaluating without being a bug of ours."""


class Executor(Protocol):
    """Runs workers; a lost worker is replaced by a new one under a new name."""

    def connect(self, workers: int, data_bytes: int) -> None:
        """Reach the place where workers will live; nothing of the sweep is written before."""
        ...

    def device(self, wanted: str) -> str:
        """Return cpu or cuda: what workers will train on; `auto` takes what there is.

        Raises:
            ConfigProblem: cuda is wanted where there is no GPU.
            ClusterError: no worker will ever fit.
        """
        ...

    def room(self) -> int | None:
        """Return how many workers fit in all; None where that is not for this place to say."""
        ...

    def gpus(self) -> float:
        """Return how many GPUs a worker holds; known once `device` was asked."""
        ...

    def start(self, data: DataChoices, settings: WorkerSettings, workers: int) -> None:
        """Start the workers; they hold `data` until `close`."""
        ...

    def workers(self) -> tuple[str, ...]:
        """Return the names of the workers, those included that wait for room."""
        ...

    def node(self, worker: str) -> str:
        """Return the node a worker lives on; empty before it has started."""
        ...

    def resize(self, workers: int) -> None:
        """Have so many workers from now on; of too many, those go that have not started."""
        ...

    def leaving(self) -> set[str]:
        """Return the workers whose node has been told to leave.

        Raises:
            ClusterError: the whole cluster has gone.
        """
        ...

    def to_give(self, holding: int, waiting: int) -> int:
        """Return how many workers sweeps of higher priority need, told what we hold and want."""
        ...

    def retire(self, worker: str) -> None:
        """End a worker that holds nothing; one that lives elsewhere takes its place if wanted."""
        ...

    def silent_seconds(self, worker: str) -> float:
        """Return how long a started worker has left a call unanswered; 0 where it has not."""
        ...

    def send(self, worker: str, commands: Sequence[Command]) -> None:
        """Put one call of `advance(commands)` in flight; calls of a worker run in order."""
        ...

    def in_flight(self, worker: str) -> int:
        """Return how many calls of the worker have not been answered."""
        ...

    def poll(self, timeout_seconds: float) -> list[Reply | Lost]:
        """Wait for something to happen, at most `timeout_seconds`; return all that has.

        A worker whose device has failed it is lost, like one whose process died.

        Raises:
            ExecutorError: a worker could not save or evaluate, or workers don't start.
        """
        ...

    def kill(self, worker: str, reason: str = "killed") -> None:
        """End a worker as a crash would, with the calls in flight; `poll` tells of its loss."""
        ...

    def aside(self, work: Work) -> Aside:
        """Begin other work on the data that workers hold; it takes none of their time."""
        ...

    def close(self) -> None:
        """End all workers, and what is done aside."""
        ...


def failed(worker: str, cause: Exception) -> ExecutorError:
    """Say what went wrong outside a trial's training: no room for a checkpoint, say."""
    return ExecutorError(
        f"workers must be able to save and evaluate trials, but {worker} could not: "
        f"{type(cause).__name__}: {cause}; mend that, then the same command goes on."
    )
