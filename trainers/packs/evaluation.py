"""A pass over one part without gradient, dropout or truncation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.metrics import MetricType
from trainers.config.train_config import Structure
from trainers.errors import ConfigError
from trainers.learning import losses
from trainers.learning.buffers import Buffers
from trainers.learning.judged import answer_metrics, need_answers
from trainers.learning.metrics import Tally
from trainers.learning.tallies import elements_of, sums_of
from trainers.learning.trial import Trial
from trainers.network.dropout import DropoutKey, evaluation_keys
from trainers.network.masks import Array
from trainers.network.model import Model
from trainers.network.parameters import Weights, weights_of
from trainers.packs.answers import Kept
from trainers.packs.parts import PartName, Parts
from trainers.packs.passes import passes


def untruncated(structure: Structure) -> Structure:
    """Return how a structure is evaluated: each sequence in one pass."""
    return replace(structure, tbptt_forward_steps=None, tbptt_backward_steps=None)


def evaluate(
    model: Model,
    weights: Weights,
    parts: Parts,
    name: PartName,
    keys: Sequence[DropoutKey] | None = None,
    metrics: Mapping[str, MetricType] | None = None,
) -> dict[str, float]:
    """Return the metrics of `weights` (one trial) on a part.

    Each sequence is one full pass; a stream is read in long lanes, the state carried to their end.
    `keys` carry zoneout's expectation. `metrics` are those of an epoch unless others are given.
    """
    return evaluate_together(model, weights, parts, name, keys, metrics)[0]


@torch.no_grad()
def evaluate_together(
    model: Model,
    weights: Weights,
    parts: Parts,
    name: PartName,
    keys: Sequence[DropoutKey] | None = None,
    metrics: Mapping[str, MetricType] | None = None,
) -> list[dict[str, float]]:
    """Return the metrics of each of several trials on a part, from one pass for all."""
    whole, wanted = untruncated(model.structure), metrics or parts.metrics
    device, trials = weights.head_bias.device, len(weights.head_bias)
    common = Tally(parts.data, whole, device, wanted)
    sums = common.measures.zeros(trials)
    losses_sum, plain = sums.new_zeros(trials), sums.new_zeros(trials)
    kept = Kept(whole) if need_answers(wanted) else None
    for place, segment, outputs in passes(model, weights, parts, name, keys):
        common.loss_count += segment.count
        if kept is not None:
            kept.add(place, segment, outputs)
        if segment.targets is not None:
            values = losses.elements(whole, outputs, segment.targets)
            found = sums_of(segment, outputs, values, common.measures)
            sums += found.metrics
            losses_sum += found.losses.double() * segment.denominator
            plain += found.plain
            common.elements += elements_of(segment)
    results = results_of(common, sums, torch.stack([losses_sum, plain]), parts.total_squares(name))
    if kept is None or not common.elements:
        return results
    return [
        result | answer_metrics(kept.answers(trial).judged(parts.data, whole), wanted)
        for trial, result in enumerate(results)
    ]


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
