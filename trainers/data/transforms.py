"""What is done to targets before they are scaled, and undone after all else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from trainers.data.contract import Array, TargetTransform
from trainers.errors import DataError


def transformed(
    values: Array,
    transform: TargetTransform,
    names: Sequence[str],
    said: Callable[[int], str],
) -> Array:
    """Return targets `(rows, targets)` as they are scaled; NaN stays NaN.

    Args:
        values: In own units.
        transform: What is to be done.
        names: One a target, for messages.
        said: Names a row, for messages.

    Raises:
        DataError: a value has no logarithm.
    """
    if transform == "none":
        return values
    if (wrong := values <= -1).any():
        row, target = np.argwhere(wrong)[0]
        raise DataError(
            f"data.target_transform: log1p needs targets > -1, but {names[target]!r} is "
            f"{values[row, target]:g} in {said(int(row))}; set data.target_transform: none."
        )
    return np.asarray(np.log1p(values))


def undone(values: Array, transform: TargetTransform) -> Array:
    """Return what was transformed so, in own units."""
    return np.asarray(np.expm1(values)) if transform == "log1p" else values
