"""Which steps a segment of truncated BPTT replays, differentiates and scores: arithmetic only.

Williams & Peng 1990, BPTT(h; h'): h is k2 (`tbptt_backward_steps`), h' is k1. Segment i scores the
steps [start, stop) and differentiates back to stop - k2:

- k2 < k1: the steps before stop - k2 run without gradient through stem and recurrence.
- k2 > k1: the steps from stop - k2 to start are replayed, from the detached state that the segment
  before reached there, with the weights of now; they are not scored again.

The one state that is carried on is the one at the step where the next segment begins to run, so a
replay costs memory for its own steps only.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trainers.config.train_config import Structure
from trainers.network.masks import Array

_FULL_LENGTH_SHARE, _SPREAD, _SHORTEST = 0.95, 5.0, 5


class Span(NamedTuple):
    """The steps [start, stop) of a batch, run in one go."""

    start: int
    stop: int
    gradient: bool = True
    scored: bool = True


@dataclass(frozen=True)
class Walk:
    """How one batch is walked, segment by segment; each segment is one optimizer step.

    Attributes:
        time_steps: T, of the batch.
        forward_steps: k1; T for full BPTT.
        backward_steps: k2; None for each segment's own length.
        ends: `(segments,)` the step after each segment, where lengths are random; otherwise None.
    """

    time_steps: int
    forward_steps: int
    backward_steps: int | None = None
    ends: Array | None = None

    @classmethod
    def of(cls, structure: Structure, time_steps: int, seed: int = 0, epoch: int = 0) -> Walk:
        """Plan a batch; random lengths are a function of seed and epoch, so restarts repeat them.

        k1 >= T is one segment: full BPTT.
        """
        k1 = structure.tbptt_forward_steps
        if k1 is None:
            return cls(time_steps, time_steps)
        ends = random_ends(k1, time_steps, seed, epoch) if structure.tbptt_random_lengths else None
        return cls(time_steps, k1, structure.tbptt_backward_steps, ends)

    def __len__(self) -> int:
        return -(-self.time_steps // self.forward_steps) if self.ends is None else len(self.ends)

    def bounds(self, index: int) -> tuple[int, int]:
        """Return the steps [start, stop) that segment `index` scores."""
        if self.ends is not None:
            return int(self.ends[index - 1]) if index else 0, int(self.ends[index])
        start = index * self.forward_steps
        return start, min(start + self.forward_steps, self.time_steps)

    def spans(self, index: int) -> tuple[Span, ...]:
        """Return what segment `index` runs, in order; spans break where the carried state lies."""
        start, stop = self.bounds(index)
        if self.backward_steps is None:
            return (Span(start, stop),)
        begin = self._begin(index)
        gradient_from = max(begin, stop - self.backward_steps)
        breaks = sorted({begin, start, gradient_from, self.carry_at(index), stop})
        return tuple(
            Span(first, last, gradient=first >= gradient_from, scored=first >= start)
            for first, last in itertools.pairwise(breaks)
        )

    def carry_at(self, index: int) -> int:
        """Return the step before which the state is carried on to the next segment."""
        return self._begin(index + 1) if index + 1 < len(self) else self.bounds(index)[1]

    def carried_after(self, index: int) -> int:
        """Return how many of its spans segment `index` runs before the state is carried on."""
        carry_at = self.carry_at(index)
        return sum(span.stop <= carry_at for span in self.spans(index))

    def rate_factor(self, index: int) -> float:
        """Return what the learning rate is scaled by: length / k1 where lengths are random."""
        start, stop = self.bounds(index)
        return 1.0 if self.ends is None else (stop - start) / self.forward_steps

    def _begin(self, index: int) -> int:
        start, stop = self.bounds(index)
        k2 = self.backward_steps
        replays = k2 is not None and k2 > self.forward_steps
        return min(start, max(0, stop - k2)) if replays and k2 is not None else start


def random_ends(forward_steps: int, time_steps: int, seed: int, epoch: int) -> Array:
    """Draw where segments end: lengths N(k1, 5), at least 5, with k1 / 2 for k1 one time in 20.

    Merity et al. 2018 (awd-lstm-lm, `main.py`). Philox keyed by seed and epoch: nothing to store.
    """
    key = np.random.SeedSequence((seed, epoch, forward_steps)).generate_state(2, np.uint64)
    random = np.random.Generator(np.random.Philox(key=key))
    count = -(-time_steps // _SHORTEST)
    mean = np.where(random.random(count) < _FULL_LENGTH_SHARE, forward_steps, forward_steps / 2)
    drawn = (mean + _SPREAD * random.standard_normal(count)).astype(np.int64)
    ends = np.cumsum(np.maximum(drawn, _SHORTEST))
    ends = ends[: int(np.searchsorted(ends, time_steps)) + 1]
    ends[-1] = time_steps
    return ends
