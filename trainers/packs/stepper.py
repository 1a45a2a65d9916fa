"""What trains the trials of a pack: the interface, and what its implementations share."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Protocol

from trainers.learning.trial import Trial

Trials = dict[int, Trial]  # by slot, ascending


class Stepper(Protocol):
    """Trains trials of a pack, by slot, and validates those whose epoch has ended.

    Whatever it raises, every trial can be saved afterwards: it stands before or after a segment.
    The time that it takes is added to the epochs of the trials that it trained.
    """

    def advance(self, trials: Trials, seconds: float | None) -> list[int]:
        """Train some trials for about `seconds`, at most to the end of their epochs.

        A loss or gradient that is not finite ends that trial, before any of its weights changed.

        Returns:
            The slots whose epoch is to be closed, ascending: it has ended, or the trial diverged.
        """

    def validate(self, trials: Trials) -> dict[int, dict[str, float]]:
        """Return the validation metrics of the newest weights, by slot."""


@contextmanager
def timed(trials: Collection[Trial]) -> Iterator[None]:
    """Add the wall time of what is done within to the trials' epochs, in equal shares."""
    began = time.perf_counter()
    try:
        yield
    finally:
        share = (time.perf_counter() - began) / len(trials)
        for trial in trials:
            trial.counters.epoch_seconds += share


def step_together(
    step: Callable[[Trials], list[int]], trials: Trials, seconds: float | None
) -> bool:
    """Step trials until all have ended their epoch, one has diverged, or the time is up.

    Those that end their epoch first wait for the others: one program validates all.

    Args:
        step: Advances trials by one segment; returns the slots whose epoch has ended.
        trials: Whom.
        seconds: At least one step is made.

    Returns:
        Whether all have ended their epoch.
    """
    began = time.perf_counter()
    going = trials
    while going:
        ended = step(going)
        going = {slot: trial for slot, trial in going.items() if slot not in ended}
        if any(trial.diverged for trial in trials.values()):
            break
        if seconds is not None and time.perf_counter() - began >= seconds:
            break
    return not going


def to_close(trials: Trials, *, all_ended: bool) -> list[int]:
    """Return the slots whose epoch is closed now: all of them together, or who has diverged."""
    return [slot for slot, trial in trials.items() if all_ended or trial.diverged]
