"""The targets of a part that count, in own units."""

from __future__ import annotations

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.own_units import own_units


def valid_targets(data: SequenceData, part: SequenceSet, most: int | None = None) -> Array:
    """Return class ids `(targets,)`, or numbers or labels `(targets, outputs)`, NaN where masked.

    Args:
        data: Whose part it is.
        part: Which.
        most: Sequences that are looked at, the first ones; None for all.
    """
    rows = np.arange(len(part) if most is None else min(most, len(part)))
    if data.one_target:
        exists = part.input_mask
        last = part.time_steps - 1
        steps = None if exists is None else np.argmax(exists[rows][:, ::-1], axis=1)
        at = np.full(len(rows), last) if steps is None else last - steps
        targets = np.asarray(part.targets[rows, at])
        mask = None if part.target_mask is None else np.asarray(part.target_mask[rows, at])
        owners = rows
    else:
        targets = np.asarray(part.targets[rows])
        mask = None if part.target_mask is None else np.asarray(part.target_mask[rows])
        owners = np.repeat(rows, targets.shape[1])
        targets = targets.reshape(-1, *targets.shape[2:])
        mask = None if mask is None else mask.reshape(len(targets), *mask.shape[2:])
    if mask is not None:
        some = mask if mask.ndim == 1 else mask.any(axis=1)
        targets, mask, owners = targets[some], mask[some], owners[some]
    if targets.ndim == 1 or data.task == "classification":
        numbers = targets
    else:
        rescale = None if part.rescale is None else np.asarray(part.rescale[owners])
        numbers = own_units(data, targets.astype(np.float64), rescale)
    if mask is None or mask.ndim == 1:
        return numbers
    return np.where(mask, numbers, np.nan)
