"""Rows of one or of several series: who follows whom."""

from __future__ import annotations

import numpy as np

from trainers.data.contract import Array


def by_series(codes: Array | None) -> Array | slice:
    """Rows so that each series' are side by side, in the order of the file within a series.

    A slice over all rows where they are already.
    """
    if codes is None:
        return slice(None)
    changes = int(np.count_nonzero(np.diff(codes)))
    if changes + 1 == int(np.count_nonzero(np.bincount(codes))):
        return slice(None)
    return np.argsort(codes, kind="stable")


def followers(codes: Array | None, order: Array | slice) -> Array | slice:
    """Places in `order` (but the last) whose next place is of the same series."""
    if codes is None:
        return slice(None)
    sorted_codes = codes[order]
    return np.asarray(sorted_codes[1:] == sorted_codes[:-1])


def differences(values: Array, codes: Array | None) -> Array:
    """What each row has more than the row before it in its series, `(steps,)`."""
    order = by_series(codes)
    return np.asarray(np.diff(values[order])[followers(codes, order)])
