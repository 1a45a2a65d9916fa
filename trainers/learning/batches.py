"""One part of a data set, bound to a structure: rows in an epoch's order, gathered into batches.

Everything here is numpy on the host and stateless: an epoch's order is a function of the trial's
seed and the epoch, so a restart needs to remember two counters only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, overload

import numpy as np

from trainers.config.train_config import Structure
from trainers.data.contract import Picked, SequenceSet
from trainers.network.masks import Array, Pattern, ends_of, pattern_of

_SCAN_ROWS = 4096


def epoch_order(seed: int, epoch: int, rows: int) -> Array:
    """Return the permutation of `rows` for an epoch, from Philox keyed by both (stateless)."""
    key = np.random.SeedSequence((seed, epoch)).generate_state(2, np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).permutation(rows)


@dataclass(frozen=True)
class Batch:
    """Some rows, trimmed to the longest.

    Attributes:
        inputs: `(rows, time, features)` or ids `(rows, time)`; masked steps may hold anything.
        ends: `(rows,)` the step after the last existing one.
        input_mask: `(rows, time)`, only where rows have gaps or late starts.
        targets: Readout every: `(rows, time, outputs)` or ids `(rows, time)`; last: without time.
        target_mask: As targets, or without outputs; None when all are valid.
        target_counts: `(rows,)` valid target elements per row, over the row's whole length.
        resets: `(rows, time)` before which steps a row's state is cleared; None for nowhere.
        offset: The step that comes first in the arrays; `ends` count from 0 all the same.
        rescale: `(rows, 2, outputs)` factor and offset, see `SequenceSet`; None where it has none.
        ahead: `(rows, horizon, features)` what a decoder knows ahead; None where nothing.
        pairs: Whether the time of targets is their own, not that of inputs.
    """

    inputs: Array
    ends: Array
    input_mask: Array | None
    targets: Array
    target_mask: Array | None
    target_counts: Array
    resets: Array | None = None
    offset: int = 0
    rescale: Array | None = None
    ahead: Array | None = None
    pairs: bool = False

    @property
    def time_steps(self) -> int:
        """Length of the trimmed time axis."""
        return int(self.inputs.shape[1])

    def window(self, start: int, stop: int) -> Batch:
        """Return a batch that holds the steps [start, stop): itself."""
        del start, stop
        return self


class Source(Protocol):
    """What is walked in segments: a batch, or something that gathers one window at a time."""

    @property
    def time_steps(self) -> int:
        """T."""

    def window(self, start: int, stop: int) -> Batch:
        """Return a batch that holds the steps [start, stop) at least."""


class Part:
    """One part of the data with what is known of all its rows (scanned once, row block by block).

    Attributes:
        rows: Number of sequences.
        pattern: How input steps exist, over the whole part.
        ends: `(rows,)` the step after each row's last existing input step.
    """

    def __init__(self, data: SequenceSet, structure: Structure) -> None:
        self.data = data
        self.rows = len(data)
        self._batch_size = structure.batch_size
        self.dtype = np.dtype(structure.dtype)
        self.last = structure.one_target
        self._pairs = structure.pairs
        self._ahead = data.ahead if structure.decodes else None
        self.pattern: Pattern = _scan_pattern(data.input_mask)
        mask = None if self.pattern == "none" else data.input_mask
        self.ends = _ends(mask, self.rows, data.time_steps)
        self._mask = mask
        self._target_mask = data.target_mask if data.target_mask is not None else mask
        self._target_step = _ends(self._target_mask, self.rows, data.time_steps) - 1

    def epoch(self, seed: int, epoch: int) -> Sequence[Source]:
        """Return an epoch's batches, in its order; each is gathered when it is asked for."""
        return _Batches(self, epoch_order(seed, epoch, self.rows), self._batch_size)

    def evaluation(self, rows: int) -> Sequence[Source]:
        """Return batches of up to `rows` rows, in the part's own order."""
        return _Batches(self, np.arange(self.rows), rows)

    def batch(self, rows: Array) -> Batch:
        """Gather `rows` (indices) into one trimmed batch."""
        ends = self.ends[rows]
        steps = max(int(ends.max()), 1)
        mask = None
        if self.pattern == "general" and self._mask is not None:
            mask = self._mask[:, :steps][rows]
        answers = max(int(self._target_step[rows].max()), 0) + 1 if self._pairs else steps
        targets, target_mask = self.targets(rows, answers)
        return Batch(
            inputs=self._floats(self.data.inputs[:, :steps][rows]),
            ends=ends,
            input_mask=mask,
            targets=targets,
            target_mask=target_mask,
            target_counts=_counts(targets, target_mask),
            resets=None if self.data.resets is None else self.data.resets[:, :steps][rows],
            rescale=None if self.data.rescale is None else self.data.rescale[rows],
            ahead=None if self._ahead is None else self._floats(self._ahead[rows]),
            pairs=self._pairs,
        )

    def target_blocks(self) -> Iterator[tuple[Array, Array | None]]:
        """Yield targets in the data's common scale and their mask, some rows at a time."""
        for start in range(0, self.rows, _SCAN_ROWS):
            rows = np.arange(start, min(start + _SCAN_ROWS, self.rows))
            targets, mask = self.targets(rows)
            if self.data.rescale is not None:
                targets = _rescaled(targets, self.data.rescale[rows])
            yield targets, mask

    def targets(self, rows: Array, steps: int | None = None) -> tuple[Array, Array | None]:
        """Return targets of some rows (masked ones are 0) and their mask, in `Batch`'s shapes."""
        if self.last:
            at = self._target_step[rows]
            targets = self._floats(self.data.targets[rows, at])
            mask = _picked(self._target_mask, (rows, at))
        else:
            targets = self._floats(self.data.targets[:, :steps][rows])
            mask = _picked(self._target_mask, (rows, slice(0, steps)))
        if mask is None or bool(mask.all()):
            return targets, None
        targets[~mask] = 0
        return targets, mask

    def _floats(self, values: Array) -> Array:
        return values if values.dtype.kind in "iu" else values.astype(self.dtype, copy=False)


class _Batches(Sequence[Source]):
    """Batches of consecutive rows of an order."""

    def __init__(self, part: Part, order: Array, size: int) -> None:
        self._part, self._order, self._size = part, order, size

    def __len__(self) -> int:
        return -(-len(self._order) // self._size)

    @overload
    def __getitem__(self, index: int) -> Source: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Source]: ...

    def __getitem__(self, index: int | slice) -> Source | Sequence[Source]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._part.batch(self._order[index * self._size : (index + 1) * self._size])


def _rescaled(targets: Array, by: Array) -> Array:
    """Return targets `(rows, …, outputs)` times factor plus offset, `by (rows, 2, outputs)`."""
    if targets.ndim == 3:
        by = by[:, :, None]
    return np.asarray(targets * by[:, 0] + by[:, 1])


def _picked(mask: Array | Picked | None, index: Any) -> Array | None:
    if mask is None:
        return None
    picked: Array = mask[index]
    return picked


def _ends(mask: Array | Picked | None, rows: int, time_steps: int) -> Array:
    """Return, per row, the step after the last one that exists in any output (0 for none)."""
    if mask is None:
        return ends_of(None, rows, time_steps)
    blocks = [np.asarray(mask[start : start + _SCAN_ROWS]) for start in range(0, rows, _SCAN_ROWS)]
    return np.concatenate(
        [ends_of(np.asarray(b.any(-1) if b.ndim == 3 else b), len(b), time_steps) for b in blocks]
    )


def _scan_pattern(mask: Array | Picked | None) -> Pattern:
    if mask is None:
        return "none"
    blocks = range(0, len(mask), _SCAN_ROWS)
    found = {pattern_of(np.asarray(mask[start : start + _SCAN_ROWS])) for start in blocks}
    return "general" if "general" in found else "prefix" if "prefix" in found else "none"


def _counts(targets: Array, mask: Array | None) -> Array:
    """Count valid target elements per row (a class id is one element)."""
    ids = targets.dtype.kind in "iu"
    rows = len(targets)
    if mask is None:
        return np.full(rows, max(targets[0].size, 1) if rows else 0, dtype=np.int64)
    per_step = 1 if ids or mask.ndim == targets.ndim else targets.shape[-1]
    counts: Array = mask.reshape(rows, -1).sum(axis=1) * per_step
    return counts
