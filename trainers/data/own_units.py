"""From the numbers that a network is trained on to the targets' own units."""

from __future__ import annotations

import numpy as np

from trainers.data.contract import Array, SequenceData
from trainers.data.transforms import undone


def own_units(data: SequenceData, values: Array, rescale: Array | None = None) -> Array:
    """Return values of targets in own units, float64 where they were scaled.

    Args:
        data: Whose targets they are.
        values: `(targets, outputs)` as trained on; class ids and labels stay what they are.
        rescale: `(targets, 2, outputs)` as `SequenceSet` has it, by target.
    """
    if rescale is not None:
        values = values * rescale[:, 0] + rescale[:, 1]
    if data.target_scale is not None:
        values = values * data.target_scale
    if data.target_shift is not None:
        values = np.asarray(values + data.target_shift)
    return undone(values, data.target_transform)
