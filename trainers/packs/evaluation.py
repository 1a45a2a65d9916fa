"""A pass over one part without gradient, dropout or truncation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.train_config import Structure
from trainers.errors import ConfigError
from trainers.learning import losses
from trainers.learning.batches import Part, Source
from trainers.learning.buffers import Buffers
from trainers.learning.lanes import Lanes, StreamPart
from trainers.learning.metrics import Tally
from trainers.learning.spans import Span
from trainers.learning.tallies import elements_of, sums_of
from trainers.learning.tbptt import cut
from trainers.learning.trial import Trial
from trainers.network.dropout import DropoutKey, evaluation_keys
from trainers.network.masks import Array
from trainers.network.model import Model
from trainers.network.parameters import Weights, weights_of
from trainers.network.segment import Segment, enter, leave
from trainers.packs.parts import PartName, Parts
from trainers.packs.stacking import widen

# Of the largest array in a batch: enough to fill the kernels, small in memory.
_FLOATS, _FLOATS_TOGETHER_ON_GPU = 1 << 20, 1 << 27


def evaluation_rows(model: Model, part: Part | StreamPart, floats: int = _FLOATS) -> int:
    """Return the rows of an evaluation batch: a function of structure and data, not of the pack."""
    return max(1, floats // (part.data.time_steps * 4 * max(model.structure.layer_sizes)))


def untruncated(structure: Structure) -> Structure:
    """Return how a structure is evaluated: each sequence in one pass."""
    return replace(structure, tbptt_forward_steps=None, tbptt_backward_steps=None)


def evaluate(
    model: Model,
    weights: Weights,
    parts: Parts,
    name: PartName,
    keys: Sequence[DropoutKey] | None = None,
) -> dict[str, float]:
    """Return the metrics of `weights` (one trial) on a part.

    Each sequence is one full pass; a stream is read in long lanes, the state carried to their end.
    `keys` carry zoneout's expectation.
    """
    return evaluate_together(model, weights, parts, name, keys)[0]


@torch.no_grad()
def evaluate_together(
    model: Model,
    weights: Weights,
    parts: Parts,
    name: PartName,
    keys: Sequence[DropoutKey] | None = None,
) -> list[dict[str, float]]:
    """Return the metrics of each of several trials on a part, from one pass for all."""
    whole = untruncated(model.structure)
    device, trials = weights.head_bias.device, len(weights.head_bias)
    common = Tally(parts.data, whole, device)
    sums = common.measures.zeros(trials)
    losses_sum, plain = sums.new_zeros(trials), sums.new_zeros(trials)
    for _, segment, outputs in passes(model, weights, parts, name, keys):
        common.loss_count += segment.count
        if segment.targets is not None:
            values = losses.elements(whole, outputs, segment.targets)
            found = sums_of(segment, outputs, values, common.measures)
            sums += found.metrics
            losses_sum += found.losses.double() * segment.denominator
            plain += found.plain
            common.elements += elements_of(segment)
    return results_of(common, sums, torch.stack([losses_sum, plain]), parts.total_squares(name))


def evaluate_slots(
    model: Model, buffers: Buffers, parts: Parts, trials: Mapping[int, Trial]
) -> dict[int, dict[str, float]]:
    """Return the validation metrics of the newest weights of some slots, from one pass."""
    slots = list(trials)
    weights = weights_of(model.layout, buffers.weights[slots])
    keys = evaluation_keys(*(trial.config for trial in trials.values()))
    found = evaluate_together(model, weights, parts, "validation", keys)
    return dict(zip(slots, found, strict=True))


def results_of(
    common: Tally, metrics: Tensor, losses: Tensor, total_squares: Array | None
) -> list[dict[str, float]]:
    """Return each trial's metrics from the sums of a pass.

    Args:
        common: What is the same for all: counts, task.
        metrics: `(trials, rows, outputs)`.
        losses: `(2, trials)`: weighted losses, their elements without weights.
        total_squares: SST of the part, for r2.
    """
    results = []
    for own, loss, plain in zip(metrics, *losses.tolist(), strict=True):
        common.sums, common.loss_sum, common.plain_loss = own, loss, plain
        results.append(common.result(total_squares))
    return results


@torch.no_grad()
def confusion_matrix(
    model: Model,
    weights: Weights,
    parts: Parts,
    name: PartName,
    keys: Sequence[DropoutKey] | None = None,
) -> Array:
    """Count actual classes against predicted ones over a part's valid targets.

    Returns:
        `(classes, classes)` int64: row = actual, column = predicted.

    Raises:
        ConfigError: the targets are no class ids.
    """
    loss = model.structure.loss
    if LOSSES[loss].targets != "ids":
        raise ConfigError(
            f"a confusion matrix needs targets that are class ids, but got loss={loss!r}."
        )
    classes = parts.data.output_size
    counts = torch.zeros(classes * classes, dtype=torch.int64)
    for _, segment, outputs in passes(model, weights, parts, name, keys):
        if segment.targets is not None:
            pairs = segment.targets[0] * classes + losses.point(model.structure, outputs[0]).argmax(
                -1
            )
            counts += torch.bincount(pairs, minlength=len(counts)).cpu()
    matrix: Array = counts.reshape(classes, classes).numpy()
    return matrix


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
