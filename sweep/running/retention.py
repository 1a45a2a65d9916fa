"""Which checkpoints stay on disk: those a trial may go on from, and the best ended trials'.

A trial that a rung has ended for good may yet be recalled to be a finalist: the best of those keep
theirs, as far as they have one, until the search is over.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from pathlib import Path

from sweep.history.state import Standing, SweepState, TrialState
from sweep.log.checkpoints import CHECKPOINTS, attempt_of, checkpoint_path
from sweep.log.event import Event
from sweep.log.kinds import Checkpointed, Completed, Evaluated, Failed, Pruned, Recalled


class Retention:
    """Deletes checkpoints that nobody needs any more.

    Args:
        folder: The sweep's folder; `checkpoints` in it is made if need be.
        keep: How many complete trials keep theirs, best first.
        cost: Ranks complete trials, the lower the better, exactly as finalists are ranked: theirs
            must be among those kept.
        spare: How many trials that a rung has ended keep theirs, best first.
    """

    def __init__(
        self, folder: Path, keep: int, cost: Callable[[TrialState], float], spare: int = 0
    ) -> None:
        """Watch a sweep's checkpoints."""
        self._folder = folder.resolve()
        (self._folder / CHECKPOINTS).mkdir(exist_ok=True)
        self._keep = keep
        self._cost = cost
        self._best: list[tuple[float, int, str]] = []  # a heap, the worst of the kept on top
        self._spare = spare
        self._stopped: list[tuple[float, int, str]] = []  # a heap like `_best`
        self._current: dict[int, str] = {}

    def restore(self, state: SweepState) -> None:
        """Learn from the log what is kept, and delete every other checkpoint in the folder.

        A coordinator that was killed leaves files that no event names, or that it meant to delete.
        Files of attempts that this state does not know are left alone: whoever has begun those has
        taken the sweep over from us, unnoticed so far.
        """
        for trial in state.trials.values():
            if trial.state is Standing.COMPLETE:
                self._complete(trial)
            elif trial.state is Standing.PRUNED:
                self._stop(trial)
            elif not trial.ended and trial.checkpoint:
                self._current[trial.number] = trial.checkpoint
        ended = (*self._best, *self._stopped)
        recorded = [*self._current.values(), *(path for _, _, path in ended)]
        named = {self.path(each) for each in recorded}
        for path in (self._folder / CHECKPOINTS).iterdir():
            if path not in named and _is_known(path.name, state):
                path.unlink(missing_ok=True)

    def follow(self, event: Event, trial: TrialState) -> None:
        """Delete what this event, already applied to `trial`, has made obsolete."""
        match event.what:
            case Checkpointed():
                self._replace(trial.number, trial.checkpoint)
            case Completed():
                self._current.pop(trial.number, None)
                self._complete(trial)
            case Pruned() if self._spare and trial.first_pause is None:
                self._current.pop(trial.number, None)
                self._stop(trial)
            case Pruned() | Failed():
                self._replace(trial.number, None)
            case Recalled():
                self._recall(trial)
            case Evaluated() if trial.source == "replicate":
                self._replace(trial.number, None)

    def path(self, recorded: str) -> Path:
        """Return where a recorded checkpoint lies, as an absolute path that workers can open."""
        return checkpoint_path(self._folder, recorded)

    def kept(self) -> set[int]:
        """Return the complete trials whose checkpoint is on disk."""
        return {-number for _, number, _ in self._best}

    def forget_stopped(self) -> None:
        """Delete what trials that rungs have ended could go on from: nobody will be recalled."""
        for _, _, path in self._stopped:
            self.path(path).unlink(missing_ok=True)
        self._stopped = []

    def _replace(self, number: int, path: str | None) -> None:
        old = self._current.pop(number, None)
        if old is not None and old != path:
            self.path(old).unlink(missing_ok=True)
        if path is not None:
            self._current[number] = path

    def _complete(self, trial: TrialState) -> None:
        if trial.checkpoint is None or not self.path(trial.checkpoint).exists():
            return
        if trial.source == "replicate":  # ranked nowhere, but needed until it is evaluated
            if not trial.test:
                self._current[trial.number] = trial.checkpoint
            return
        self._push(self._best, trial, self._keep)

    def _stop(self, trial: TrialState) -> None:
        if trial.checkpoint is not None and self.path(trial.checkpoint).exists():
            self._push(self._stopped, trial, self._spare)

    def _recall(self, trial: TrialState) -> None:
        left = [entry for entry in self._stopped if entry[1] != -trial.number]
        if len(left) < len(self._stopped) and trial.checkpoint is not None:
            self._current[trial.number] = trial.checkpoint
        heapq.heapify(left)
        self._stopped = left

    def _push(self, heap: list[tuple[float, int, str]], trial: TrialState, most: int) -> None:
        """Keep a trial's checkpoint, unless there are so many better ones."""
        assert trial.checkpoint is not None
        heapq.heappush(heap, (-self._cost(trial), -trial.number, trial.checkpoint))
        if len(heap) > most:
            _, _, path = heapq.heappop(heap)
            self.path(path).unlink(missing_ok=True)


def _is_known(name: str, state: SweepState) -> bool:
    """Return whether a file was written by an attempt that the state knows of."""
    written = attempt_of(name)
    if written is None or written[0] not in state.trials:
        return False
    number, attempt = written
    return attempt <= state.trials[number].attempt
