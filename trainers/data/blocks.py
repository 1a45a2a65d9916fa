"""Rows of an array, a bounded number of elements at a time: what checks walk over."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainers.data.views import Array, Picked

BLOCK_ELEMENTS = 1 << 22


def blocks_of(
    values: Array | Picked, mask: Array | Picked | None
) -> Iterator[tuple[int, Array, Array | None]]:
    """Walk over rows in blocks of bounded size: (first row, values, mask)."""
    rows = max(1, BLOCK_ELEMENTS // max(1, int(np.prod(values.shape[1:]))))
    for start in range(0, len(values), rows):
        span = slice(start, start + rows)
        yield start, np.asarray(values[span]), None if mask is None else np.asarray(mask[span])
