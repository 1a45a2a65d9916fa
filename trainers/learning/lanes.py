"""A part that is one long stream, cut into lanes that are walked side by side.

Lane b of B holds the steps from b·N/B to (b + 1)·N/B of all N, so lanes differ by one step at most
and none is left out. Only the steps that are asked for are gathered: memory does not grow with the
stream. Several series are one stream, with a reset where each begins.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData, SequenceSet
from trainers.learning.batches import Batch, Part
from trainers.network.masks import Array

_BLOCK_STEPS = 1 << 16
_LANE_STEPS = 4096  # of a lane in evaluation: its cold start weighs little
_LANES = 64


class StreamPart:
    """One part of a stream.

    Attributes:
        data: Its series, `(series, time)`.
        rows: Their number.
        steps: N, of all series together.
    """

    def __init__(self, data: SequenceSet, structure: Structure) -> None:
        self.data = data
        self.rows = len(data)
        self.steps = self.rows * data.time_steps
        self.dtype = np.dtype(structure.dtype)
        self._batch_size = structure.batch_size
        self._lanes: dict[int, Lanes] = {}

    def epoch(self, seed: int, epoch: int) -> tuple[Lanes]:
        """Return the one batch of an epoch: all lanes from beginning to end."""
        del seed, epoch
        return (self.lanes(self._batch_size),)

    def evaluation(self, rows: int) -> tuple[Lanes]:
        """Return the lanes of an evaluation: by the data alone, not the trial's batch size."""
        del rows
        return (self.lanes(min(max(self.steps // _LANE_STEPS, 1), _LANES)),)

    def lanes(self, count: int) -> Lanes:
        """Cut the stream into `count` lanes, or one per step where there are fewer."""
        if count not in self._lanes:
            self._lanes[count] = Lanes(self, min(count, self.steps))
        return self._lanes[count]

    def steps_at(self, index: Array) -> tuple[Array, Array]:
        """Return series and step of the flat steps `index`."""
        series, step = np.divmod(index, self.data.time_steps)
        return series, step

    def target_blocks(self) -> Iterator[tuple[Array, Array | None]]:
        """Yield targets and their mask, some steps at a time."""
        for start in range(0, self.steps, _BLOCK_STEPS):
            at = self.steps_at(np.arange(start, min(start + _BLOCK_STEPS, self.steps)))
            yield self.targets_at(at)

    def targets_at(
        self, at: tuple[Array, Array], exists: Array | None = None
    ) -> tuple[Array, Array | None]:
        """Return targets (masked ones are 0) and their mask; None when all are valid."""
        part = self.data
        targets = self.floats(part.targets[at])
        given = part.input_mask if part.target_mask is None else part.target_mask
        mask = exists
        if given is not None:
            mask = np.asarray(given[at])
            if exists is not None:
                mask = mask & (exists if mask.ndim == exists.ndim else exists[..., None])
        if mask is None or bool(mask.all()):
            return targets, None
        targets[~mask] = 0
        return targets, mask

    def floats(self, values: Array) -> Array:
        """Cast to the structure's dtype, unless they are ids."""
        return values if values.dtype.kind in "iu" else values.astype(self.dtype, copy=False)


class Lanes:
    """Some lanes of a stream: a batch of which only windows are gathered.

    Attributes:
        count: Of lanes.
        time_steps: Of the longest lane.
    """

    def __init__(self, part: StreamPart, count: int) -> None:
        borders = np.arange(count + 1) * part.steps // count
        self._part = part
        self._starts = borders[:-1]
        self._ends = np.diff(borders)
        self._counts = self._target_counts(borders)
        self.count = count
        self.time_steps = int(self._ends.max())

    def places(self, lanes: Array, steps: Array) -> tuple[Array, Array]:
        """Return series and step `(wanted,)` of steps of lanes, both `(wanted,)`."""
        return self._part.steps_at(self._starts[lanes] + steps)

    def window(self, start: int, stop: int) -> Batch:
        """Gather the steps [start, stop) of every lane."""
        part = self._part
        steps = np.arange(start, stop)
        index = np.minimum(self._starts[:, None] + steps, part.steps - 1)
        at = part.steps_at(index)
        exists = None if stop <= self._ends.min() else steps < self._ends[:, None]
        mask = None if part.data.input_mask is None else part.data.input_mask[at]
        if mask is not None and exists is not None:
            mask &= exists
        resets = at[1] == 0
        if part.data.resets is not None:
            resets |= part.data.resets[at]
        if start == 0:
            resets[:, 0] = False  # an epoch begins with zero state anyway
        targets, target_mask = part.targets_at(at, exists)
        return Batch(
            inputs=part.floats(part.data.inputs[at]),
            ends=self._ends,
            input_mask=mask,
            targets=targets,
            target_mask=target_mask,
            target_counts=self._counts,
            resets=resets,
            offset=start,
        )

    def _target_counts(self, borders: Array) -> Array:
        """Count valid target elements of each lane (a class id is one)."""
        data = self._part.data
        outputs = 1 if data.targets.ndim == 2 else data.targets.shape[2]
        mask = data.input_mask if data.target_mask is None else data.target_mask
        if mask is None:
            return self._ends * outputs
        mask = np.asarray(mask)
        if mask.ndim == 2:
            mask = mask[..., None]
        per_element = outputs // mask.shape[2]
        flat = mask.reshape(self._part.steps, -1)
        pieces = itertools.pairwise(borders)
        counts = [np.count_nonzero(flat[first:last]) * per_element for first, last in pieces]
        return np.array(counts, dtype=np.int64)


def part_of(data: SequenceData, part: SequenceSet, structure: Structure) -> Part | StreamPart:
    """Bind one part to a structure, as the data ask to be walked."""
    return StreamPart(part, structure) if data.walk == "stream" else Part(part, structure)
