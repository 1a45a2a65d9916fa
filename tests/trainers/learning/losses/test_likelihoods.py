"""Distributions as losses: torch.distributions' values and gradients, and finite ones."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import distributions as theirs

from trainers.config.losses import LOSSES
from trainers.config.train_config import TrainConfig
from trainers.learning import losses

TRIALS, WANTED, OUTPUTS = 2, 40, 3


def _positive(outputs):
    return F.softplus(outputs) + 1e-6


def _gaussian(x):
    return theirs.Normal(x[..., 0], _positive(x[..., 1]))


def _laplace(x):
    return theirs.Laplace(x[..., 0], _positive(x[..., 1]))


def _student_t(x):
    return theirs.StudentT(2 + _positive(x[..., 2]), x[..., 0], _positive(x[..., 1]))


def _poisson(x):
    return theirs.Poisson(_positive(x[..., 0]))


def _negative_binomial(x):
    mean, dispersion = _positive(x[..., 0]), _positive(x[..., 1])
    return theirs.NegativeBinomial(1 / dispersion, logits=(mean * dispersion).log())


THEIRS = {
    "gaussian": _gaussian, "laplace": _laplace, "student_t": _student_t, "poisson": _poisson,
    "negative_binomial": _negative_binomial,
}  # fmt: skip


def drawn(loss, factor=1.0, dtype=torch.float64):
    """Return outputs `(trials, wanted, ·)` of a head, and targets that the loss can have."""
    generator, structure = torch.Generator().manual_seed(3), TrainConfig(loss=loss).structure()
    width = OUTPUTS * LOSSES[loss].width(structure)
    outputs = torch.randn(TRIALS, WANTED, width, generator=generator, dtype=torch.float64)
    targets = 3 * torch.randn(TRIALS, WANTED, OUTPUTS, generator=generator, dtype=torch.float64)
    targets = targets.abs().round() if LOSSES[loss].counts else targets
    return structure, (factor * outputs).to(dtype), targets.to(dtype)


@pytest.mark.parametrize("factor", [1.0, 30.0])
@pytest.mark.parametrize("loss", THEIRS)
def test_values_and_gradients_are_torchs(loss, factor):
    structure, outputs, targets = drawn(loss, factor)
    mine, other = outputs.clone().requires_grad_(), outputs.clone().requires_grad_()
    values = losses.elements(structure, mine, targets)
    their = THEIRS[loss](other.unflatten(-1, (OUTPUTS, -1)))
    torch.testing.assert_close(values, -their.log_prob(targets), rtol=1e-9, atol=1e-9)
    values.sum().backward()
    (-their.log_prob(targets)).sum().backward()
    torch.testing.assert_close(mine.grad, other.grad, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(losses.point(structure, outputs), their.mean, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("loss", [*THEIRS, "quantile"])
def test_values_and_gradients_stay_finite_in_float32(loss):
    for factor in (1e-6, 1e2, 1e4):
        structure, outputs, targets = drawn(loss, factor, torch.float32)
        values = losses.elements(structure, outputs.requires_grad_(), targets)
        values.sum().backward()
        assert torch.isfinite(values).all()
        assert torch.isfinite(outputs.grad).all()


def test_a_gaussian_by_hand():
    # softplus(0) = log 2 = .693147; half of (1/.693148)² + log .693148 + .918939 = 1.593022
    structure = TrainConfig(loss="gaussian").structure()
    outputs, targets = torch.tensor([[[2.0, 0.0]]]), torch.tensor([[[3.0]]])
    assert losses.elements(structure, outputs, targets).item() == pytest.approx(1.593, abs=2e-3)
    assert losses.point(structure, outputs).tolist() == [[[2.0]]]


def test_a_poisson_by_hand():
    # rate = softplus(log(e² − 1)) = 2: −log P(3) = 2 − 3 log 2 + log 6 = 1.712318
    structure = TrainConfig(loss="poisson").structure()
    outputs = torch.tensor([[[2.0]]]).expm1().log()
    value = losses.elements(structure, outputs, torch.tensor([[[3.0]]])).item()
    assert value == pytest.approx(1.712318, abs=1e-5)
