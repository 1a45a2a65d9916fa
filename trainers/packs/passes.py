"""A pass over a part: what is run, where it stands, and what the networks answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from trainers.learning.batches import Part, Source
from trainers.learning.lanes import Lanes, StreamPart
from trainers.learning.spans import Span
from trainers.learning.tbptt import cut
from trainers.network.dropout import DropoutKey
from trainers.network.model import Model
from trainers.network.parameters import Weights
from trainers.network.segment import Segment, enter, leave
from trainers.packs.parts import PartName, Parts
from trainers.packs.stacking import widen

# Of the largest array in a batch: enough to fill the kernels, small in memory.
_FLOATS, _FLOATS_TOGETHER_ON_GPU = 1 << 20, 1 << 27


def evaluation_rows(model: Model, part: Part | StreamPart, floats: int = _FLOATS) -> int:
    """Return the rows of an evaluation batch: a function of structure and data, not of the pack."""
    return max(1, floats // (part.data.time_steps * 4 * max(model.structure.layer_sizes)))


@dataclass(frozen=True)
class Place:
    """Where a pass stands: what is walked, which steps of it, and whether its state is zero."""

    source: Source
    span: Span
    begins: bool


def passes(
    model: Model,
    weights: Weights,
    parts: Parts,
    name: PartName,
    keys: Sequence[DropoutKey] | None,
) -> Iterator[tuple[Place, Segment, Tensor]]:
    """Run a part; yield where, what was run and its outputs `(trials, wanted, outputs)`."""
    state, trials = None, len(weights.head_bias)
    device = weights.head_bias.device
    together = trials > 1 and device.type == "cuda"
    floats = (_FLOATS_TOGETHER_ON_GPU if together else _FLOATS) // trials
    for place, segment in _segments(model, parts.part(name), parts.data.input_size, floats):
        segment = widen(segment.to(device), trials, model.structure)
        if segment.targets is None and parts.data.walk == "sequences":
            yield place, segment, weights.head_bias[:, :0]
            continue
        before = None if place.begins else state
        outputs, after = model.forward(weights, segment, enter(before, segment), keys)
        state = leave(after, segment)
        yield place, segment, outputs


def _segments(
    model: Model, part: Part | StreamPart, input_size: int, floats: int
) -> Iterator[tuple[Place, Segment]]:
    """Yield what is run, about `floats` at a time, and where it is."""
    for source in part.evaluation(evaluation_rows(model, part, floats)):
        stride = source.time_steps
        if isinstance(source, Lanes):
            floats_a_step = 4 * max(model.structure.layer_sizes) * source.count
            stride = min(stride, max(1, floats // floats_a_step))
        for start in range(0, source.time_steps, stride):
            span = Span(start, min(start + stride, source.time_steps), gradient=False)
            batch = source.window(span.start, span.stop)
            place = Place(source, span, start == 0)
            yield place, cut(batch, span, model.structure, input_size)
