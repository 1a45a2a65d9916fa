"""What a trial's network says of every target of a part, kept: for what sums can't tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainers.config.train_config import Structure
from trainers.learning.lanes import Lanes
from trainers.learning.tbptt import target_places
from trainers.network.dropout import DropoutKey
from trainers.network.masks import Array
from trainers.network.model import Model
from trainers.network.parameters import Weights
from trainers.packs.evaluation import Place, passes
from trainers.packs.parts import PartName, Parts


@dataclass(frozen=True)
class Answers:
    """A head's outputs for the valid targets of a part, in the part's order, then in time's.

    All is as the network was trained on it: scaled, and logits for classes.

    Attributes:
        rows: `(targets,)` each one's sequence in the part.
        steps: `(targets,)` its step there, counted from 0; one target has the last that exists.
        outputs: `(targets, outputs · each)` of the head; see `LossType.outputs_per_target`.
        targets: `(targets, outputs)`, or class ids `(targets,)`.
        mask: `(targets, outputs)` where single outputs are masked, otherwise None.
        rescale: `(targets, 2, outputs)` as `SequenceSet` has it, otherwise None.
    """

    rows: Array
    steps: Array
    outputs: Array
    targets: Array
    mask: Array | None
    rescale: Array | None

    def __len__(self) -> int:
        return len(self.rows)


@torch.no_grad()
def answers_of(
    model: Model,
    weights: Weights,
    parts: Parts,
    name: PartName,
    keys: Sequence[DropoutKey] | None = None,
) -> Answers:
    """Run `weights` (one trial) over a part, as `evaluate` does, and keep every answer."""
    structure = model.structure
    found: list[tuple[Array, Array, Array, Array, Array | None, Array | None]] = []
    source, first, stop = None, 0, 0
    for place, segment, outputs in passes(model, weights, parts, name, keys):
        if place.source is not source:  # batches follow each other in the part's order
            source, first = place.source, stop
            stop = first + len(place.source.window(0, 1).ends)
        if segment.targets is not None:
            rows, steps = _places(place, structure, first)
            mask, rescale = (_numpy(one) for one in (segment.element_mask, segment.rescale))
            own, targets = _numpy(outputs), _numpy(segment.targets)
            assert own is not None
            assert targets is not None
            found.append((rows, steps, own, targets, mask, rescale))
    rows, steps, own, targets = (
        np.concatenate([batch[column] for batch in found]) for column in range(4)
    )
    masks = [np.ones(b[3].shape, np.bool_) if b[4] is None else b[4] for b in found]
    mask = np.concatenate(masks) if any(b[4] is not None for b in found) else None
    scales = [batch[5] for batch in found if batch[5] is not None]
    rescale = np.concatenate(scales) if scales else None
    order = np.lexsort((steps, rows))
    mask, rescale = (None if one is None else one[order] for one in (mask, rescale))
    return Answers(rows[order], steps[order], own[order], targets[order], mask, rescale)


def _places(place: Place, structure: Structure, first: int) -> tuple[Array, Array]:
    """Return row in the part and step of each target of a segment; a batch begins at `first`."""
    source, span = place.source, place.span
    batch = source.window(span.start, span.stop)
    rows, steps = target_places(batch, span, structure)
    return source.places(rows, steps) if isinstance(source, Lanes) else (rows + first, steps)


def _numpy(values: Tensor | None) -> Array | None:
    """Return those of the one trial that is run."""
    return None if values is None else values[0].cpu().numpy()
