"""From the numbers that a network is trained on to the targets' own units, and back."""

from __future__ import annotations

import numpy as np

from trainers.data.contract import Array, SequenceData
from trainers.data.transforms import undone

_LEAST_LOG = -30.0  # log1p of the least value that is told from −1


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


def trained_units(data: SequenceData, own: Array, rescale: Array | None = None) -> Array:
    """Return what `own_units` makes own values `(targets, outputs)` of, float64.

    What no transformed target can be, as a count below 0 under log1p, becomes the nearest that can.
    """
    values = np.asarray(own, dtype=np.float64)
    if data.target_transform == "log1p":
        values = np.log1p(np.maximum(values, np.expm1(_LEAST_LOG)))
    if data.target_shift is not None:
        values = values - data.target_shift
    if data.target_scale is not None:
        values = values / data.target_scale
    return values if rescale is None else np.asarray((values - rescale[:, 1]) / rescale[:, 0])
