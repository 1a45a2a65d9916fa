"""What a trial's network says of every target of a part, kept: for what sums can't tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainers.config.metrics import Judged
from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData
from trainers.learning.batches import Source
from trainers.learning.judged import judged
from trainers.learning.lanes import Lanes
from trainers.learning.tbptt import target_places
from trainers.network.dropout import DropoutKey
from trainers.network.masks import Array
from trainers.network.model import Model
from trainers.network.parameters import Weights
from trainers.network.segment import Segment
from trainers.packs.parts import PartName, Parts
from trainers.packs.passes import Place, passes


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

    def judged(self, data: SequenceData, structure: Structure) -> Judged:
        """Return them in the targets' own units, or as probabilities."""
        given = self.outputs, self.targets, self.mask, self.rescale
        return judged(*given, data, structure)


_Batch = tuple[Array, Array, Array, Array, Array | None, Array | None]


class Kept:
    """Answers of several trials, kept while a pass goes over a part.

    Args:
        structure: What the trials have in common.
    """

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._batches: list[_Batch] = []
        self._source: Source | None = None
        self._first = self._stop = 0

    def add(self, place: Place, segment: Segment, outputs: Tensor) -> None:
        """Keep a segment's outputs `(trials, wanted, ·)`; those of a pass come in its order."""
        if place.source is not self._source:  # batches follow each other in the part's order
            self._source, self._first = place.source, self._stop
            self._stop = self._first + len(place.source.window(0, 1).ends)
        if segment.targets is not None:
            rows, steps = _places(place, self._structure, self._first)
            mask, rescale = (_numpy(one) for one in (segment.element_mask, segment.rescale))
            targets = segment.targets[0].cpu().numpy()
            self._batches.append((rows, steps, outputs.cpu().numpy(), targets, mask, rescale))

    def answers(self, trial: int = 0) -> Answers:
        """Return what one of the trials said of the whole part."""
        found = self._batches
        rows, steps, targets = (np.concatenate([b[column] for b in found]) for column in (0, 1, 3))
        own = np.concatenate([batch[2][trial] for batch in found])
        masks = [np.ones(b[3].shape, np.bool_) if b[4] is None else b[4] for b in found]
        mask = np.concatenate(masks) if any(b[4] is not None for b in found) else None
        scales = [batch[5] for batch in found if batch[5] is not None]
        rescale = np.concatenate(scales) if scales else None
        order = np.lexsort((steps, rows))
        mask, rescale = (None if one is None else one[order] for one in (mask, rescale))
        return Answers(rows[order], steps[order], own[order], targets[order], mask, rescale)


@torch.no_grad()
def answers_of(
    model: Model,
    weights: Weights,
    parts: Parts,
    name: PartName,
    keys: Sequence[DropoutKey] | None = None,
) -> Answers:
    """Run `weights` (one trial) over a part, as `evaluate` does, and keep every answer."""
    kept = Kept(model.structure)
    for place, segment, outputs in passes(model, weights, parts, name, keys):
        kept.add(place, segment, outputs)
    return kept.answers()


def _places(place: Place, structure: Structure, first: int) -> tuple[Array, Array]:
    """Return row in the part and step of each target of a segment; a batch begins at `first`."""
    source, span = place.source, place.span
    batch = source.window(span.start, span.stop)
    rows, steps = target_places(batch, span, structure)
    return source.places(rows, steps) if isinstance(source, Lanes) else (rows + first, steps)


def _numpy(values: Tensor | None) -> Array | None:
    """Return what is the same for all trials."""
    return None if values is None else values[0].cpu().numpy()
