"""Sequences of unequal length under one time axis: padded on the right, under masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainers.data.contract import Array, SequenceSet


def padded(rows: Sequence[Array], fill: float = 0) -> tuple[Array, Array | None]:
    """Pad sequences on the right.

    Args:
        rows: `(time,)` or `(time, features)` each, of one type.
        fill: What padding holds.

    Returns:
        `(sequences, time)` or `(sequences, time, features)`, and the mask `(sequences, time)` of
        the steps that exist; None when all do.
    """
    lengths = np.array([len(row) for row in rows])
    steps = int(lengths.max())
    values = np.full((len(rows), steps, *rows[0].shape[1:]), fill, dtype=rows[0].dtype)
    for index, row in enumerate(rows):
        values[index, : len(row)] = row
    return values, prefix_mask(lengths, steps)


def prefix_mask(lengths: Array, steps: int) -> Array | None:
    """`(sequences, steps)`, True before each sequence's length; None when all have that length."""
    if (lengths == steps).all():
        return None
    return np.asarray(np.arange(steps) < lengths[:, None])


def last_step_mask(input_mask: Array | None, rows: int, steps: int) -> Array:
    """`(rows, steps)`, True at each row's last existing step only; a view when that is the last."""
    time = np.arange(steps)
    if input_mask is None:
        return np.broadcast_to(time == steps - 1, (rows, steps))
    last = steps - 1 - input_mask[:, ::-1].argmax(axis=1)
    return np.asarray(time == last[:, None])


def one_label_set(inputs: Array, input_mask: Array | None, labels: Array) -> SequenceSet:
    """One label a sequence, at its last existing step (many-to-one).

    Args:
        inputs: `(sequences, time, features)` or ids `(sequences, time)`.
        input_mask: `(sequences, time)` or None.
        labels: Class ids `(sequences,)` or numbers `(sequences, outputs)`.
    """
    rows, steps = inputs.shape[:2]
    return SequenceSet(
        inputs=inputs,
        targets=np.broadcast_to(labels[:, None], (rows, steps, *labels.shape[1:])),
        input_mask=input_mask,
        target_mask=last_step_mask(input_mask, rows, steps),
    )
