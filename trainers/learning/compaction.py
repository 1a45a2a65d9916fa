"""Some steps of a batch as rows that a causal kernel can run: padding right, resets between rows.

A row is cut at its resets into rows of their own, which begin with zero state. So one call of a
fused kernel runs what separate sequences would give, and the state goes on from the last of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainers.learning.batches import Batch
from trainers.network.masks import Array, Compaction, blank_padding


@dataclass(frozen=True)
class Rows:
    """Compacted rows, and where each step of the batch went.

    Attributes:
        inputs: `(rows, time, …)`, existing steps to the left, 0 beyond them.
        lengths: `(rows,)` existing steps per row; None when all exist.
        hold: Whether a row that is shorter than the longest goes on later.
        place: `(batch, time)` where the latest existing step up to here went; None: its own place.
        row: `(batch, time)` the row that a step went to; None: its own.
        origins: `(rows,)` the batch row whose state a row begins with, −1 for zero; None: its own.
        finals: `(batch,)` the row whose state a batch row goes on with; None: its own.
    """

    inputs: Array
    lengths: Array | None = None
    hold: bool = False
    place: Array | None = None
    row: Array | None = None
    origins: Array | None = None
    finals: Array | None = None

    def positions(self, steps: Array, rows: Array) -> Array:
        """Return where batch `rows` at `steps` are, as flat indices into `(time, rows)`."""
        places = steps if self.place is None else self.place[rows, steps]
        into = rows if self.row is None else self.row[rows, steps]
        return np.asarray(places * len(self.inputs) + into)


def compacted(batch: Batch, start: int, stop: int) -> Rows:
    """Compact the steps [start, stop) of a batch."""
    columns = slice(start - batch.offset, stop - batch.offset)
    inputs = batch.inputs[:, columns]
    lengths = np.clip(batch.ends - start, 0, stop - start)
    if batch.resets is not None and batch.resets[:, columns].any():
        return _split(batch, columns, lengths, goes_on=batch.ends > stop)
    if batch.input_mask is None:
        if lengths.min() == stop - start:
            return Rows(inputs)
        return Rows(blank_padding(inputs, lengths), lengths)
    mask = batch.input_mask[:, columns]
    if mask.all():
        return Rows(inputs)
    moved = Compaction.of(mask)
    shorter = moved.lengths < moved.source.shape[1]
    hold = bool((shorter & (batch.ends > stop)).any())
    return Rows(moved.gather(inputs), moved.lengths, hold, moved.place)


def _split(batch: Batch, columns: slice, lengths: Array, goes_on: Array) -> Rows:
    """Cut rows at their resets; those after a row's end cut off nothing."""
    assert batch.resets is not None
    resets = batch.resets[:, columns]
    steps = np.arange(resets.shape[1])
    begins = (resets & (steps < lengths[:, None])) | (steps == 0)
    of_row, first = np.nonzero(begins)
    row = np.cumsum(begins).reshape(begins.shape) - 1
    exists = (row[of_row] == np.arange(len(of_row))[:, None]) & (steps < lengths[of_row, None])
    if batch.input_mask is not None:
        exists &= batch.input_mask[of_row, columns]
    moved = Compaction.of(exists)
    inputs = batch.inputs[:, columns][of_row[:, None], moved.source]
    finals = row[:, -1]
    shorter = moved.lengths[finals] < moved.source.shape[1]
    return Rows(
        inputs=blank_padding(inputs, moved.lengths),
        lengths=moved.lengths,
        hold=bool((shorter & goes_on).any()),
        place=moved.place[row, steps],
        row=row,
        origins=np.where(resets[of_row, first], -1, of_row),
        finals=finals,
    )
