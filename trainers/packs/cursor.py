"""Where a trial stands in its epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from trainers.config.train_config import Structure
from trainers.learning.batches import Part, Source
from trainers.learning.lanes import StreamPart
from trainers.learning.spans import Walk
from trainers.learning.trial import Trial

B = TypeVar("B")


class Cursor(Generic[B]):
    """The batch and segment that a trial is at; found again from its counters.

    Args:
        trial: Whose.
        batches: Of its epoch.
        batch_at: Gathers a batch, and counts its segments.
    """

    def __init__(
        self, trial: Trial, batches: int, batch_at: Callable[[int], tuple[B, int]]
    ) -> None:
        self.trial, self._epoch = trial, trial.counters.epoch
        self._batches, self._batch_at = batches, batch_at
        self._at = -1

    def serves(self, trial: Trial) -> bool:
        """Return whether it is this trial's, and of the epoch that the trial is in."""
        return self.trial is trial and self._epoch == trial.counters.epoch

    @property
    def batch(self) -> B:
        """The batch that the trial is at."""
        return self._gathered()[0]

    def ended(self) -> bool:
        """Move on to the next batch where this one is done; return whether the epoch is."""
        counters = self.trial.counters
        if self.trial.diverged or counters.batch == self._batches:
            return True
        if counters.segment == self._gathered()[1]:
            self.trial.next_batch()
        return counters.batch == self._batches

    def _gathered(self) -> tuple[B, int]:
        at = self.trial.counters.batch
        if self._at != at:
            self._found, self._at = self._batch_at(at), at
        return self._found


HostCursor = Cursor[tuple[Source, Walk]]


def host_cursor(trial: Trial, part: Part | StreamPart, structure: Structure) -> HostCursor:
    """Return where a trial stands; a batch is gathered when the trial comes to it."""
    seed, epoch = trial.config.seed, trial.counters.epoch
    batches = part.epoch(seed, epoch)

    def batch_at(index: int) -> tuple[tuple[Source, Walk], int]:
        source = batches[index]
        walk = Walk.of(structure, source.time_steps, seed, epoch)
        return (source, walk), len(walk)

    return Cursor(trial, len(batches), batch_at)
