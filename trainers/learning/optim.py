"""Optimizers over the trial axis: a step is a few elementwise operations on flat rows.

Coefficients are per trial: a column `(trials, 1)`, or a plain number when there is one trial.
Each equals its namesake in `torch.optim`, with torch's defaults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from trainers.config.train_config import TrainConfig

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


# Per-trial numbers of a step by name; a column `(trials, 1)`, or a plain number of one trial. What
# no trial makes use of is absent.
Columns = Mapping[str, Any]


def clip(gradient: Tensor, norms: Tensor, configs: Sequence[TrainConfig]) -> None:
    """Clip each trial's row of `gradient (trials, P)` by its global norm or by value.

    `norms (trials,)` are the rows' norms; the formulas are those of `torch.nn.utils`.
    """
    limits = clip_limits(configs)
    clip_by(gradient, norms, {n: norms.new_tensor(v).unsqueeze(1) for n, v in limits.items()})


def clip_limits(configs: Sequence[TrainConfig]) -> dict[str, list[float]]:
    """Return what trials are clipped by: no number of one that is not clipped."""
    given = {
        "clip_norm": [config.clip_norm or math.inf for config in configs],
        "clip_value": [config.clip_value or math.inf for config in configs],
    }
    return {name: v for name, v in given.items() if not all(map(math.isinf, v))}


def clip_by(gradient: Tensor, norms: Tensor, columns: Columns) -> None:
    """Clip by `clip_norm` and `clip_value`, columns `(trials, 1)`."""
    if "clip_norm" in columns:
        gradient.mul_((columns["clip_norm"] / (norms.unsqueeze(1) + 1e-6)).clamp(max=1.0))
    if "clip_value" in columns:
        bounds = columns["clip_value"]
        gradient.clamp_(-bounds, bounds)


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
    numbers = coefficients(configs, steps_done, rates)
    columns = {name: _column(values, weights) for name, values in numbers.items()}
    step_by(configs[0].optimizer, weights, gradient, moments, columns)


def coefficients(
    configs: Sequence[TrainConfig], steps_done: Sequence[int], rates: Sequence[float]
) -> dict[str, list[float]]:
    """Return the numbers of a step by name, one per trial; what no trial needs is absent."""
    numbers: dict[str, list[float]] = {}
    if any(config.weight_decay for config in configs):
        l2 = [c.weight_decay if c.weight_decay_kind == "l2" else 0.0 for c in configs]
        if any(l2):
            numbers["l2"] = l2
        numbers["kept"] = [
            1 - r * (c.weight_decay - w) for r, c, w in zip(rates, configs, l2, strict=True)
        ]
    match configs[0].optimizer:
        case "adam" | "adamw":
            numbers["spread"] = [(1 - _BETA2 ** (done + 1)) ** -0.5 for done in steps_done]
            numbers["size"] = [
                -r / (1 - _BETA1 ** (done + 1)) for r, done in zip(rates, steps_done, strict=True)
            ]
            return numbers
        case "rmsprop":
            numbers["rest"] = [1 - config.rmsprop_smoothing for config in configs]
    numbers["size"] = [-rate for rate in rates]
    if configs[0].optimizer == "adagrad":
        return numbers
    momentum = [config.momentum for config in configs]
    if any(momentum):
        numbers["momentum"] = momentum
        if configs[0].optimizer == "sgd":
            # Plain momentum steps along the velocity; Nesterov along gradient + momentum ·
            # velocity.
            pairs = zip(momentum, configs, strict=True)
            numbers["along_velocity"] = [m if c.nesterov else 1.0 for m, c in pairs]
            if any(config.nesterov for config in configs):
                numbers["along_gradient"] = [1.0 if c.nesterov else 0.0 for c in configs]
    return numbers


def step_by(
    optimizer: str, weights: Tensor, gradient: Tensor, moments: Tensor, columns: Columns
) -> None:
    """Make one optimizer step, in place, by the columns of `coefficients`."""
    if "l2" in columns:
        # Decoupled (Loshchilov & Hutter 2019), or as the gradient of wd · Σw² / 2.
        gradient.add_(weights * columns["l2"])
    if "kept" in columns:
        weights.mul_(columns["kept"])
    match optimizer:
        case "adam" | "adamw":
            _adam(weights, gradient, moments, columns)
        case "rmsprop":
            _rmsprop(weights, gradient, moments, columns)
        case "adagrad":
            _adagrad(weights, gradient, moments[0], columns)
        case _:
            _sgd(weights, gradient, moments[0], columns)


def _column(values: list[float], like: Tensor) -> Tensor | float:
    """Return per-trial numbers as a column; a single trial's stays a plain number."""
    return values[0] if len(values) == 1 else like.new_tensor(values).unsqueeze(1)


def _adam(weights: Tensor, gradient: Tensor, moments: Tensor, columns: Columns) -> None:
    """Kingma & Ba 2015, algorithm 1."""
    first, second = moments.unbind(0)
    first.lerp_(gradient, 1 - _BETA1)
    second.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
    denominator = second.sqrt().mul_(columns["spread"]).add_(_EPSILON)
    weights.add_(torch.div(first, denominator, out=denominator).mul_(columns["size"]))


def _sgd(weights: Tensor, gradient: Tensor, velocity: Tensor, columns: Columns) -> None:
    """SGD, with momentum and Nesterov's look-ahead as `torch.optim.SGD` has them."""
    if "momentum" not in columns:
        weights.add_(gradient * columns["size"])
        return
    velocity.mul_(columns["momentum"]).add_(gradient)
    direction = velocity * columns["along_velocity"]
    if "along_gradient" in columns:
        direction.add_(gradient * columns["along_gradient"])
    weights.add_(direction.mul_(columns["size"]))


def _rmsprop(weights: Tensor, gradient: Tensor, moments: Tensor, columns: Columns) -> None:
    """Tieleman & Hinton 2012; with momentum as `torch.optim.RMSprop` has it."""
    squares, velocity = moments.unbind(0)
    rest = columns["rest"]
    weight = rest.expand_as(squares) if isinstance(rest, Tensor) else rest
    squares.lerp_(gradient.square(), weight)
    direction = gradient / squares.sqrt().add_(_EPSILON)
    if "momentum" in columns:
        direction = velocity.mul_(columns["momentum"]).add_(direction)
    weights.add_(direction * columns["size"])


def _adagrad(weights: Tensor, gradient: Tensor, sums: Tensor, columns: Columns) -> None:
    """Duchi et al. 2011."""
    sums.addcmul_(gradient, gradient)
    direction = gradient / sums.sqrt().add_(_ADAGRAD_EPSILON)
    weights.add_(direction.mul_(columns["size"]))
