"""What one column gives: the wall clock of each row, its offset where it has one, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trainers.data.contract import Array


@dataclass(frozen=True)
class Read:
    """One column as it was read.

    Attributes:
        local: Nanoseconds since 1970 by the value's own clock, int64 `(rows,)`.
        fits: Whether a value was understood, bool `(rows,)`; `local` is 0 where not.
        offsets: Nanoseconds that the value's clock is ahead of UTC, int64 `(rows,)`; None: no
            value has an offset.
        zone: The IANA zone that the column itself names.
        notes: What was taken for granted.
        format: The format that was settled on, for further files.
    """

    local: Array
    fits: Array
    offsets: Array | None = None
    zone: str | None = None
    notes: list[str] = field(default_factory=list)
    format: str | None = None

    def take(self, rows: Array) -> Read:
        """The same for other rows, which may repeat."""
        offsets = None if self.offsets is None else self.offsets[rows]
        return Read(self.local[rows], self.fits[rows], offsets, self.zone, self.notes, self.format)


def all_fit(local: Array, notes: list[str] | None = None) -> Read:
    """Local times that were all understood."""
    return Read(local, np.ones(len(local), dtype=bool), notes=notes or [])
