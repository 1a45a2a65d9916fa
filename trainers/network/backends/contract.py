"""What every backend runs: one recurrent layer over a segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from trainers.network.cells.interface import State
from trainers.network.dropout import RecurrentNoise


class LayerRun(NamedTuple):
    """One layer, to be run forwards over compacted rows.

    Attributes:
        cell: A name in `trainers.config.cells.CELLS`.
        weights: The layer's, as the cell declares them.
        inputs: `(trials, batch, time, features)`, finite everywhere.
        state: Each `(trials, batch, hidden)`.
        lengths: `(trials, batch)` existing steps per row; None when all exist.
        hold: Whether the state returned must be each row's own at its last existing step; without
            it a backend may return anything finite for rows shorter than the segment.
        noise: Recurrent dropout and zoneout; the reference runs them, and the scan zoneout.
    """

    cell: str
    weights: Any
    inputs: Tensor
    state: State
    lengths: Tensor | None = None
    hold: bool = False
    noise: RecurrentNoise | None = None


Run = Callable[[LayerRun], tuple[Tensor, State]]
"""Returns outputs `(trials, batch, time, hidden)`, meant only where steps exist, and the state."""
