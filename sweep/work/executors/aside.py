"""Work on a sweep's data that is no trial: done once, beside the workers, in a process of its own.

It holds no core of the workers' and gives way to them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from trainers.data.choices import DataChoices

Work = Callable[["DataChoices"], Any]
_NICENESS = 10


class Aside(Protocol):
    """Work in hand."""

    def done(self) -> bool:
        """Return whether `result` need not wait."""
        ...

    def result(self) -> Any:
        """Return what the work returned, or raise what it raised, or why its process is gone."""
        ...

    def cancel(self) -> None:
        """End the process; nothing is kept."""
        ...


class DoneHere:
    """Work that was done at once, in this process."""

    def __init__(self, work: Work, data: DataChoices) -> None:
        """Do it."""
        self._raised: Exception | None = None
        self._returned: Any = None
        try:
            self._returned = work(data)
        except Exception as error:  # told by `result`, as another process would
            self._raised = error

    def done(self) -> bool:
        """Return True."""
        return True

    def result(self) -> Any:
        """Return or raise what the work did."""
        if self._raised is not None:
            raise self._raised
        return self._returned

    def cancel(self) -> None:
        """Do nothing: it is done."""


class OnRay:
    """Work in a Ray actor that reserves nothing; the data are read where they lie."""

    def __init__(self, work: Work, data: Any) -> None:
        """Start it.

        Args:
            work: Pickled by reference.
            data: A reference to the data.
        """
        import ray

        options: dict[str, Any] = {"num_cpus": 0, "max_restarts": 0, "max_task_retries": 0}
        actor: Any = ray.remote(**options)(_Actor)
        self._actor = actor.remote()
        self._reference = self._actor.run.remote(work, data)

    def done(self) -> bool:
        """Return whether there is an answer, or none will come."""
        import ray

        ready, _ = ray.wait([self._reference], timeout=0)
        return bool(ready)

    def result(self) -> Any:
        """Return the answer, and end the process."""
        import ray

        try:
            return ray.get(self._reference)
        except ray.exceptions.RayTaskError as error:
            raise error.cause or error from None
        finally:
            self.cancel()

    def cancel(self) -> None:
        """End the process."""
        import ray

        ray.kill(self._actor)


class _Actor:
    """The Ray side."""

    def run(self, work: Work, data: DataChoices) -> Any:
        import torch

        os.nice(_NICENESS)
        torch.set_num_threads(1)
        return work(data)
