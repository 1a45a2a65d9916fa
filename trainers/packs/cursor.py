"""Where a trial stands in its epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from trainers.config.train_config import Structure
from trainers.learning.batches import Part, Source
from trainers.learning.lanes import StreamPart
from trainers.learning.spans import Walk
from trainers.learning.trial import Trial


class InSegments(Protocol):
    """A batch that is walked in segments."""

    @property
    def segments(self) -> int:
        """Their number."""


B = TypeVar("B", bound=InSegments)


class Cursor(Generic[B]):
    """The batch and segment that a trial is at; found again from its counters.

    Attributes:
        trial: Whose.
        epoch: Epochs done before this one.
    """

    def __init__(self, trial: Trial, batches: int, batch_at: Callable[[int], B]) -> None:
        self.trial, self.epoch = trial, trial.counters.epoch
        self._batches, self._batch_at = batches, batch_at
        self._at = -1

    def serves(self, trial: Trial) -> bool:
        """Return whether it is this trial's, and of the epoch that the trial is in."""
        return self.trial is trial and self.epoch == trial.counters.epoch

    @property
    def batch(self) -> B:
        """The batch that the trial is at."""
        at = self.trial.counters.batch
        if self._at != at:
            self._batch, self._at = self._batch_at(at), at
        return self._batch

    def ended(self) -> bool:
        """Move on to the next batch where this one is done; return whether the epoch is."""
        counters = self.trial.counters
        if self.trial.diverged or counters.batch == self._batches:
            return True
        if counters.segment == self.batch.segments:
            self.trial.next_batch()
        return counters.batch == self._batches


@dataclass(frozen=True)
class WalkedBatch:
    """A batch on the host, and how it is walked."""

    source: Source
    walk: Walk

    @property
    def segments(self) -> int:
        """The walk's."""
        return len(self.walk)


def host_cursor(trial: Trial, part: Part | StreamPart, structure: Structure) -> Cursor[WalkedBatch]:
    """Return where a trial stands; a batch is gathered when the trial comes to it."""
    seed, epoch = trial.config.seed, trial.counters.epoch
    batches = part.epoch(seed, epoch)

    def batch_at(index: int) -> WalkedBatch:
        source = batches[index]
        return WalkedBatch(source, Walk.of(structure, source.time_steps, seed, epoch))

    return Cursor(trial, len(batches), batch_at)
