"""Optimizers over the trial axis: a step is a few elementwise operations on flat rows.

Coefficients are per trial: a column `(trials, 1)`, or a plain number when there is one trial.
Each equals its namesake in `torch.optim`, with torch's defaults.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from trainers.config import TrainConfig

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8
_ADAGRAD_EPSILON = 1e-10

# Flat rows of state per parameter row.
MOMENTS = {"adam": 2, "adamw": 2, "sgd": 1, "rmsprop": 2, "adagrad": 1}


def learning_rate(
    config: TrainConfig, steps_done: int, epochs_done: int = 0, reductions: int = 0
) -> float:
    """Return the rate of a trial's next step.

    With n the steps (or epochs) done and N = `lr_decay_steps`: exponential lr · rate^(n / N), the
    exponent floored with `staircase` (TensorFlow); cosine lr · (1 + cos(π min(n / N, 1))) / 2
    (Loshchilov & Hutter 2017); plateau lr · rate^reductions. `lr_decay_floor` is where cosine
    ends and the others stop, as a share of lr.
    """
    floor = config.lr_decay_floor
    done = epochs_done if config.lr_decay_unit == "epoch" else steps_done
    share = 1.0
    if config.lr_decay == "exponential":
        exponent = done / config.lr_decay_steps
        if config.lr_decay_staircase:
            exponent = float(done // config.lr_decay_steps)
        share = max(math.pow(config.lr_decay_rate, exponent), floor)
    elif config.lr_decay == "cosine":
        angle = math.pi * min(done / config.lr_decay_steps, 1.0)
        share = floor + (1 - floor) * (1 + math.cos(angle)) / 2
    elif config.lr_decay == "plateau":
        share = max(math.pow(config.lr_decay_rate, reductions), floor)
    return config.learning_rate * share


def clip(gradient: Tensor, norms: Tensor, configs: Sequence[TrainConfig]) -> None:
    """Clip each trial's row of `gradient (trials, P)` by its global norm or by value.

    `norms (trials,)` are the rows' norms; the formulas are those of `torch.nn.utils`.
    """
    if any(config.clip_norm is not None for config in configs):
        limits = norms.new_tensor([config.clip_norm or torch.inf for config in configs])
        gradient.mul_((limits / (norms + 1e-6)).clamp(max=1.0).unsqueeze(1))
    if any(config.clip_value is not None for config in configs):
        bounds = norms.new_tensor([config.clip_value or torch.inf for config in configs])
        gradient.clamp_(-bounds.unsqueeze(1), bounds.unsqueeze(1))


def step(
    weights: Tensor,
    gradient: Tensor,
    moments: Tensor,
    configs: Sequence[TrainConfig],
    steps_done: Sequence[int],
    rates: Sequence[float],
) -> None:
    """Make one optimizer step, in place.

    Args:
        weights: `(trials, P)`.
        gradient: `(trials, P)`, clipped already; L2 weight decay is added to it.
        moments: `(MOMENTS[optimizer], trials, P)`.
        configs: One per trial, of one optimizer family.
        steps_done: Optimizer steps that each trial has made before this one.
        rates: Learning rate of each trial.
    """
    if any(config.weight_decay for config in configs):
        _decay(weights, gradient, configs, rates)
    match configs[0].optimizer:
        case "adam" | "adamw":
            _adam(weights, gradient, moments, rates, steps_done)
        case "rmsprop":
            _rmsprop(weights, gradient, moments, rates, configs)
        case "adagrad":
            _adagrad(weights, gradient, moments[0], rates)
        case _:
            _sgd(weights, gradient, moments[0], rates, configs)


def _decay(
    weights: Tensor, gradient: Tensor, configs: Sequence[TrainConfig], rates: Sequence[float]
) -> None:
    """Decay weights: decoupled (Loshchilov & Hutter 2019), or as the gradient of wd · Σw² / 2."""
    l2 = [c.weight_decay if c.weight_decay_kind == "l2" else 0.0 for c in configs]
    if any(l2):
        gradient.add_(weights * _column(l2, weights))
    kept = [1 - r * (c.weight_decay - w) for r, c, w in zip(rates, configs, l2, strict=True)]
    weights.mul_(_column(kept, weights))


def _column(values: list[float], like: Tensor) -> Tensor | float:
    """Return per-trial numbers as a column; a single trial's stays a plain number."""
    return values[0] if len(values) == 1 else like.new_tensor(values).unsqueeze(1)


def _adam(
    weights: Tensor,
    gradient: Tensor,
    moments: Tensor,
    rates: Sequence[float],
    steps_done: Sequence[int],
) -> None:
    """Kingma & Ba 2015, algorithm 1."""
    first, second = moments.unbind(0)
    first.lerp_(gradient, 1 - _BETA1)
    second.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
    spread = [(1 - _BETA2 ** (done + 1)) ** -0.5 for done in steps_done]
    size = [-r / (1 - _BETA1 ** (done + 1)) for r, done in zip(rates, steps_done, strict=True)]
    denominator = second.sqrt().mul_(_column(spread, weights)).add_(_EPSILON)
    weights.add_(torch.div(first, denominator, out=denominator).mul_(_column(size, weights)))


def _sgd(
    weights: Tensor,
    gradient: Tensor,
    velocity: Tensor,
    rates: Sequence[float],
    configs: Sequence[TrainConfig],
) -> None:
    """SGD, with momentum and Nesterov's look-ahead as `torch.optim.SGD` has them."""
    momentum = [c.momentum for c in configs]
    size = _column([-rate for rate in rates], weights)
    if not any(momentum):
        weights.add_(gradient * size)
        return
    velocity.mul_(_column(momentum, weights)).add_(gradient)
    # Plain momentum steps along the velocity; Nesterov along gradient + momentum · velocity.
    along_velocity = [m if c.nesterov else 1.0 for m, c in zip(momentum, configs, strict=True)]
    along_gradient = [1.0 if c.nesterov else 0.0 for c in configs]
    direction = velocity * _column(along_velocity, weights)
    if any(along_gradient):
        direction.add_(gradient * _column(along_gradient, weights))
    weights.add_(direction.mul_(size))


def _rmsprop(
    weights: Tensor,
    gradient: Tensor,
    moments: Tensor,
    rates: Sequence[float],
    configs: Sequence[TrainConfig],
) -> None:
    """Tieleman & Hinton 2012; with momentum as `torch.optim.RMSprop` has it."""
    squares, velocity = moments.unbind(0)
    rest = [1 - config.rmsprop_smoothing for config in configs]
    squares.lerp_(gradient.square(), _weight(rest, weights))
    direction = gradient / squares.sqrt().add_(_EPSILON)
    momentum = [config.momentum for config in configs]
    if any(momentum):
        direction = velocity.mul_(_column(momentum, weights)).add_(direction)
    weights.add_(direction * _column([-rate for rate in rates], weights))


def _adagrad(weights: Tensor, gradient: Tensor, sums: Tensor, rates: Sequence[float]) -> None:
    """Duchi et al. 2011."""
    sums.addcmul_(gradient, gradient)
    direction = gradient / sums.sqrt().add_(_ADAGRAD_EPSILON)
    weights.add_(direction.mul_(_column([-rate for rate in rates], weights)))


def _weight(values: list[float], like: Tensor) -> Any:
    """Return per-trial numbers as `lerp_` takes them."""
    return values[0] if len(values) == 1 else like.new_tensor(values).unsqueeze(1).expand_as(like)
