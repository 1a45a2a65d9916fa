"""Batches of one trial that wait to be added up together: many small sums cost as one."""

from __future__ import annotations

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor, "Tensor | None", "Tensor | None", "Tensor | None", Tensor]
"""Outputs, targets, mask, rescale, the loss's elements, answers: as `Measures.sums` takes them."""
_MOST, _MOST_NUMBERS = 16, 1 << 14


class Waiting:
    """Batches of one shape, at most some thousands of numbers."""

    def __init__(self) -> None:
        self._batches: list[Batch] = []

    def __len__(self) -> int:
        return len(self._batches)

    def takes(self, batch: Batch) -> bool:
        """Return whether a batch may wait with those that do."""
        if not self._batches:
            return True
        count, first = len(self._batches), self._batches[0]
        small = (count + 1) * first[0].numel() <= _MOST_NUMBERS and count < _MOST
        return small and _shapes(first) == _shapes(batch)

    def add(self, batch: Batch) -> None:
        """Have a batch wait; those of the loss's graph keep none of it."""
        outputs, targets, mask, rescale, values, answers = batch
        values = None if values is None else values.detach()
        self._batches.append((outputs, targets, mask, rescale, values, answers))

    def clear(self) -> None:
        """Forget them."""
        self._batches = []

    def taken(self) -> Batch:
        """Return all of them, along the axis of trials, and wait for others."""
        outputs, targets, mask, rescale, values, answers = (
            None if parts[0] is None else parts[0] if len(parts) == 1 else torch.cat(parts)
            for parts in zip(*self._batches, strict=True)
        )
        self._batches = []
        assert outputs is not None
        assert targets is not None
        assert answers is not None
        return outputs, targets, mask, rescale, values, answers


def _shapes(batch: Batch) -> tuple[torch.Size | None, ...]:
    return tuple(None if part is None else part.shape for part in batch)
