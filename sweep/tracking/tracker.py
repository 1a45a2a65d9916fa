"""What a tracker is to the sink: runs that bear a unique id of ours, written in pieces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sweep.tracking.run import RunWrite


class Tracker(Protocol):
    """Holds the runs of one sweep in one experiment; several threads may write, each its own runs.

    Every method may be called again with the same arguments, also by a sink that was started anew:
    what is there already stays as it is. Each raises TrackerUnavailable where it is to be called
    again later; whether it has carried out what it was asked may then be unknown.
    """

    def connect(self, sweep_uid: str, last_seq: int) -> bool:
        """Find or make the experiment, and find the sweep's run.

        Args:
            sweep_uid: The sweep's unique id.
            last_seq: The log's newest event: runs of later ones can't exist yet.

        Returns:
            Whether the sweep was written here before.
        """
        ...

    def write(self, write: RunWrite) -> None:
        """Write to one run; it is made when it is new.

        Raises:
            RunGone: somebody deleted the run; raised once, then its writes are left out.
        """
        ...

    def find(self, uid: str) -> str | None:
        """Return the tracker's id of a run that this object has found or made, None for others."""
        ...

    def finish(self, uid: str, files: Mapping[str, bytes], note: str) -> None:
        """Store files as a run's artifacts, by path, and its note; older ones are replaced.

        Raises:
            RunGone: somebody deleted the run.
        """
        ...

    def save_view(self, key: str, value: str) -> None:
        """Keep a view of the experiment under a key (`sweep.tracking.view`, in MLflow's form)."""
        ...
