"""One segment of training: forward, loss, backward, clip, step, record."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trainers.learning import losses, optim
from trainers.learning.batches import Source
from trainers.learning.spans import Walk
from trainers.learning.tbptt import cut_walk
from trainers.learning.trial import Trial
from trainers.network.dropout import DropoutKey
from trainers.network.model import Model
from trainers.network.parameters import Weights
from trainers.network.regularisation import penalty, regularises_activations
from trainers.network.segment import Segment, StackState, enter, leave


def train_segment(model: Model, trial: Trial, source: Source, walk: Walk, input_size: int) -> None:
    """Advance a trial by the next segment of a batch.

    The segment is one optimizer step where it has a valid target; otherwise it only carries the
    state on. A loss or gradient that is not finite ends the trial, before any weight has changed.
    """
    progress, rows = trial.progress, trial.rows
    structure, index = model.structure, progress.segment
    cuts = cut_walk(source, walk, index, structure, input_size)
    segments = [segment.to(rows.weights.device) for segment in cuts]
    keys = [trial.dropout_key()]
    carried_after = walk.carried_after(index)

    if all(segment.targets is None for segment in segments):
        with torch.no_grad():
            _, states = run(model, trial.weights, segments[:carried_after], trial.state, keys)
        count(trial, segments)
        trial.state = states[carried_after]
        return

    activations: list[Tensor] | None = [] if regularises_activations([trial.config]) else None
    outputs, states = run(model, trial.weights, segments, trial.state, keys, activations)
    scored = [
        (segment, out, losses.elements(structure.loss, out, segment.targets))
        for segment, out in zip(segments, outputs, strict=True)
        if segment.targets is not None
    ]
    parts = [
        losses.reduced(values, segment, trial.tally.class_weights) for segment, _, values in scored
    ]
    rows.gradient.zero_()
    total = sum(parts[1:], parts[0])
    added = penalty(trial.weights, activations or (), [trial.config])
    if added is not None:
        total = total + added
    torch.autograd.backward(total.sum())
    count(trial, segments)
    trial.state = detached(states[carried_after])

    with torch.no_grad():
        norms = torch.linalg.vector_norm(rows.gradient, dim=1)
        *values, norm = torch.cat([*parts, norms]).tolist()  # the step's one wait for the device
        if not all(math.isfinite(value) for value in (*values, norm)):
            progress.outcome = "diverged"
            return
        _step(trial, norms, norm, walk.rate_factor(index))
        for (segment, out, elements), value in zip(scored, values, strict=True):
            trial.tally.add_segment(segment, out, elements, value)


def count(trial: Trial, segments: Sequence[Segment]) -> None:
    """Count a segment once it has run: one that memory did not suffice for has not been."""
    trial.progress.segment += 1
    trial.progress.segments += 1
    trial.tally.loss_count += sum(segment.count for segment in segments)


def run(
    model: Model,
    weights: Weights,
    segments: Sequence[Segment],
    state: StackState | None,
    keys: Sequence[DropoutKey] | None = None,
    activations: list[Tensor] | None = None,
) -> tuple[list[Tensor], list[StackState | None]]:
    """Run spans one after another; return their outputs, and the states before and after each."""
    outputs, states = [], [state]
    for segment in segments:
        out, after = model.forward(weights, segment, enter(states[-1], segment), keys, activations)
        outputs.append(out)
        states.append(leave(after, segment))
    return outputs, states


def detached(state: StackState | None) -> StackState | None:
    """Cut a state off from what it was computed from."""
    if state is None:
        return None
    return tuple(tuple(tensor.detach() for tensor in layer) for layer in state)


def _step(trial: Trial, norms: Tensor, norm: float, rate_factor: float) -> None:
    """Clip, make one optimizer step, count it."""
    config, progress, rows = trial.config, trial.progress, trial.rows
    done = progress.optimizer_steps
    rate = optim.learning_rate(config, done, progress.epoch, progress.plateau_reductions)
    progress.learning_rate = rate * rate_factor
    optim.clip(rows.gradient, norms, [config])
    rates = [progress.learning_rate]
    optim.step(rows.weights, rows.gradient, rows.moments, [config], [done], rates)
    progress.optimizer_steps += 1
    progress.epoch_steps += 1
    progress.epoch_norms += norm
