"""Optimizers over the trial axis: a step is a few elementwise operations on flat rows.

Coefficients are per trial: a column `(trials, 1)`, or a plain number when there is one trial.
Each equals its namesake in `torch.optim`, with torch's defaults.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.learning.optimizers.interface import Columns, rule_of


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
        moments: `(the optimizer's, trials, P)`.
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
    rule = rule_of(configs[0].optimizer)
    return numbers | rule.numbers(configs, steps_done, rates)


def step_by(
    optimizer: str, weights: Tensor, gradient: Tensor, moments: Tensor, columns: Columns
) -> None:
    """Make one optimizer step, in place, by the columns of `coefficients`."""
    if "l2" in columns:
        # Decoupled (Loshchilov & Hutter 2019), or as the gradient of wd · Σw² / 2.
        gradient.add_(weights * columns["l2"])
    if "kept" in columns:
        weights.mul_(columns["kept"])
    rule_of(optimizer).step(weights, gradient, moments, columns)


def _column(values: list[float], like: Tensor) -> Tensor | float:
    """Return per-trial numbers as a column; a single trial's stays a plain number."""
    return values[0] if len(values) == 1 else like.new_tensor(values).unsqueeze(1)
