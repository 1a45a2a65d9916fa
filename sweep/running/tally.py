"""How many trials there are by state: the search's, and apart those that repeat others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from sweep.history.state import Standing, SweepState, TrialState
from sweep.running.time_left import EpochMean


class Tally:
    """Counts trials as they end.

    Attributes:
        lengths: How long the search's ended trials were.
    """

    def __init__(self) -> None:
        """Count nothing yet."""
        self.lengths = EpochMean()
        self._ended: Counter[str] = Counter()
        self._pruned: set[int] = set()
        self._repeats: Counter[str] = Counter()

    def add(self, trial: TrialState) -> None:
        """Count a trial that has ended."""
        if trial.of is None:
            self._forget_pruned(trial)
            self._ended[trial.state.value] += 1
            self.lengths.add(trial.epoch)
            if trial.state is Standing.PRUNED:
                self._pruned.add(trial.number)
        else:
            self._repeats[trial.source] += 1

    def searched(self, state: SweepState, training: Collection[int]) -> dict[str, int]:
        """Return the search's trials by state; one that stands by at a worker waits."""
        for trial in state.active.values():
            self._forget_pruned(trial)
        counts = Counter(self._ended)
        for trial in (*state.active.values(), *state.paused.values()):
            if trial.of is None:
                idle = trial.state is Standing.RUNNING and trial.number not in training
                counts[Standing.WAITING.value if idle else trial.state.value] += 1
        return dict(counts)

    def _forget_pruned(self, trial: TrialState) -> None:
        """Count a trial no longer as pruned that was recalled to be a finalist."""
        if trial.number in self._pruned:
            self._pruned.remove(trial.number)
            self._ended[Standing.PRUNED.value] -= 1

    def repeats(self, state: SweepState) -> dict[str, tuple[int, int]]:
        """Return by kind how many repeats have ended, and how many there are."""
        live = Counter(trial.source for trial in state.active.values() if trial.of is not None)
        ended = self._repeats
        return {kind: (ended[kind], ended[kind] + live[kind]) for kind in {**ended, **live}}
