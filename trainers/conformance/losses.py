"""What every loss must keep: finite elements of the shape asked for, gradients, masks, packs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.train_config import Structure
from trainers.conformance.examples import (
    CONFIG,
    OUTPUTS,
    PATTERNS,
    assert_packed_is_solo,
    data_of,
)
from trainers.learning import losses

_WANTED = 5


def check_elements(name: str) -> None:
    """Hold elements: one for each output (one for an id), finite, each trial's its own."""
    outputs, targets = _drawn(name)
    structure = _structure(name)
    values = losses.elements(structure, outputs, targets)
    ids = LOSSES[name].targets == "ids"
    assert values.shape == (2, _WANTED, 1 if ids else OUTPUTS), f"{name}: {values.shape}"
    for factor in (1.0, 1e-6, 1e3):
        assert torch.isfinite(losses.elements(structure, outputs * factor, targets)).all()
    alone = losses.elements(structure, outputs[1:], targets[1:])
    torch.testing.assert_close(values[1:], alone)
    answers = losses.point(structure, outputs)
    assert answers.shape == (2, _WANTED, OUTPUTS), f"{name}: answers of shape {answers.shape}"


def check_gradients(name: str) -> None:
    """Hold gradients against finite differences."""
    outputs, targets = _drawn(name)
    given, structure = outputs.requires_grad_(), _structure(name)
    assert torch.autograd.gradcheck(lambda x: losses.elements(structure, x, targets), given)


def check_packed(name: str) -> None:
    """Hold trials of a pack against each alone, by every reduction; what is masked is NaN."""
    loss = LOSSES[name]
    targets = "counts" if loss.counts else loss.targets
    for pattern, reduction in zip(
        PATTERNS, ("valid_step", "sequence_sum", "sequence_mean"), strict=True
    ):
        base = replace(CONFIG, loss=name, loss_reduction=reduction)  # type: ignore[arg-type]
        configs = [base, replace(base, seed=1, clip_norm=0.1)]
        assert_packed_is_solo(configs, data_of(targets, pattern))
    assert_packed_is_solo(configs, data_of(targets, "prefix"), "eager")


CHECKS: tuple[Callable[[str], None], ...] = (check_elements, check_gradients, check_packed)


def _structure(name: str) -> Structure:
    return replace(CONFIG, loss=name).structure()


def _drawn(name: str) -> tuple[Tensor, Tensor]:
    """Return outputs `(2, wanted, ·)` of a head, and targets."""
    generator, loss = torch.Generator().manual_seed(0), LOSSES[name]
    shape = (2, _WANTED, OUTPUTS * loss.width(_structure(name)))
    outputs = torch.randn(shape, generator=generator, dtype=torch.float64)
    targets = torch.randn(2, _WANTED, OUTPUTS, generator=generator, dtype=torch.float64)
    if loss.targets == "ids":
        return outputs, targets.argmax(-1)
    if loss.counts:
        return outputs, targets.abs().round()
    return outputs, (targets > 0).double() if loss.targets == "labels" else targets
