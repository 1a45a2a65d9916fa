"""One segment of training: forward, loss, backward, clip, step, record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from trainers.learning import losses, optim
from trainers.learning.batches import Source
from trainers.learning.buffers import Buffers
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
    rows, structure, index = trial.rows, model.structure, trial.counters.segment
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
        (segment, out, losses.elements(structure, out, segment.targets))
        for segment, out in zip(segments, outputs, strict=True)
        if segment.targets is not None
    ]
    parts = [
        losses.reduced(values, segment, trial.tally.measures.class_weights)
        for segment, _, values in scored
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
            trial.counters.outcome = "diverged"
            return
        optimize([trial], rows, norms, [walk.rate_factor(index)])
        trial.count_step(norm)
        for (segment, out, elements), value in zip(scored, values, strict=True):
            trial.tally.add_segment(segment, out, elements, value)


def count(trial: Trial, segments: Sequence[Segment]) -> None:
    """Count a segment once it has run: one that memory did not suffice for has not been."""
    trial.counters.segment += 1
    trial.counters.segments += 1
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


def differentiate(losses_: Tensor, weights: Weights) -> None:
    """Write the gradients of the sum of `losses_ (trials,)` over those of before.

    As `backward` with the gradients zeroed, which would complain of rows that lie apart.
    """
    leaves = list(_leaves(weights))
    found = torch.autograd.grad(losses_.sum(), leaves, allow_unused=True)
    into = [leaf.grad for leaf in leaves if leaf.grad is not None]
    whole = [torch.zeros_like(g) if f is None else f for f, g in zip(found, into, strict=True)]
    torch._foreach_copy_(into, whole)


def _leaves(weights: Any) -> Iterator[Tensor]:
    for part in weights:
        if isinstance(part, Tensor):
            yield part
        elif part is not None:
            yield from _leaves(part)


def optimize(
    trials: Sequence[Trial], rows: Buffers, norms: Tensor, rate_factors: Sequence[float]
) -> None:
    """Clip and make one optimizer step of each trial.

    Args:
        trials: What steps; it is not counted yet.
        rows: Theirs, `(trials, P)` each.
        norms: `(trials,)` of their gradients.
        rate_factors: What each learning rate is scaled by.
    """
    for trial, factor in zip(trials, rate_factors, strict=True):
        trial.counters.learning_rate = trial.learning_rate() * factor
    configs = [trial.config for trial in trials]
    steps = [trial.counters.optimizer_steps for trial in trials]
    rates = [trial.counters.learning_rate for trial in trials]
    optim.clip(rows.gradient, norms, configs)
    optim.step(rows.weights, rows.gradient, rows.moments, configs, steps, rates)
