"""What a head says beyond a point: quantiles, samples and CRPS against scipy and integrals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from tests.trainers.learning.losses.test_likelihoods import OUTPUTS, drawn
from trainers.config.losses import LOSSES
from trainers.config.train_config import TrainConfig
from trainers.learning.losses.counts import NegativeBinomial, Poisson
from trainers.learning.losses.forecast import EVEN_LEVELS, forecast

LEVELS = (0.5, 0.05, 0.95, 0.001, 0.999, 0.3)
WITH_ONE = [name for name, loss in LOSSES.items() if loss.distribution is not None]


def _scipy(said):
    """Return scipy's distribution of a forecast."""
    if hasattr(said, "rate"):
        rate = said.rate.numpy()
        if isinstance(said, Poisson):
            return stats.poisson(rate[..., None])
        r = 1 / said.dispersion.numpy()
        return stats.nbinom(r[..., None], (r / (r + rate))[..., None])
    place = {"loc": said.location.numpy()[..., None], "scale": said.scale.numpy()[..., None]}
    if hasattr(said, "freedom"):
        return stats.t(said.freedom.numpy()[..., None], **place)
    return (stats.norm if type(said).__name__ == "Gaussian" else stats.laplace)(**place)


def _said(loss):
    structure, outputs, targets = drawn(loss)
    found = forecast(structure, outputs)
    assert found is not None
    return found, targets


@pytest.mark.parametrize("loss", ["mse", "huber", "cross_entropy", "binary_cross_entropy"])
def test_points_and_classes_have_none(loss):
    assert forecast(TrainConfig(loss=loss).structure(), torch.zeros(1, 2, 3)) is None


def test_every_distribution_has_one():
    assert WITH_ONE == [
        "quantile", "gaussian", "laplace", "student_t", "poisson", "negative_binomial",
    ]  # fmt: skip


@pytest.mark.parametrize("loss", WITH_ONE[1:])
def test_quantiles_are_scipys(loss):
    said, targets = _said(loss)
    quantiles = said.quantile(LEVELS)
    assert quantiles.shape == (*targets.shape, len(LEVELS))
    np.testing.assert_allclose(quantiles.numpy(), _scipy(said).ppf(LEVELS), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(said.mean.numpy(), _scipy(said).mean()[..., 0], rtol=1e-9)


@pytest.mark.parametrize("loss", WITH_ONE)
def test_samples_have_the_quantiles_and_follow_the_generator(loss):
    said, targets = _said(loss)
    generator = torch.Generator().manual_seed(1)
    draws = torch.stack([said.sample(generator) for _ in range(2_000)], dim=-1)
    again = said.sample(torch.Generator().manual_seed(1))
    assert again.shape == targets.shape
    assert torch.equal(again, draws[..., 0])
    for level in (0.2, 0.5, 0.8):
        below = (draws <= said.quantile([level])).double().mean(-1)
        assert below.min() > level - 0.05
        if not hasattr(said, "rate"):
            assert below.max() < level + 0.05


@pytest.mark.parametrize("loss", ["gaussian", "laplace"])
def test_crps_is_the_integral_of_its_definition(loss):
    said, targets = _said(loss)
    found, of = said.crps(targets), _scipy(said)
    for place in ((0, 0, 0), (1, 3, 2)):
        y = targets[place].item()
        below = integrate.quad(lambda x: of.cdf(x)[place][0] ** 2, -np.inf, y)[0]  # noqa: B023
        above = integrate.quad(lambda x: (1 - of.cdf(x)[place][0]) ** 2, y, np.inf)[0]  # noqa: B023
        assert found[place].item() == pytest.approx(below + above, rel=1e-5)


@pytest.mark.parametrize("loss", ["student_t", "poisson", "negative_binomial"])
def test_other_crps_is_twice_the_mean_pinball_of_19_levels(loss):
    said, targets = _said(loss)
    quantiles = _scipy(said).ppf(EVEN_LEVELS)
    error, levels = targets.numpy()[..., None] - quantiles, np.array(EVEN_LEVELS)
    wanted = 2 * np.maximum(levels * error, (levels - 1) * error).mean(-1)
    np.testing.assert_allclose(said.crps(targets).numpy(), wanted, rtol=1e-7, atol=1e-7)


def _raw(values):
    return torch.tensor(values, dtype=torch.float64).expm1().log()


@pytest.mark.parametrize("mean", [0.01, 1.0, 30.0, 90.0, 300.0])
def test_counts_of_any_size_have_their_quantiles_by_sums(mean):
    said = [Poisson(_raw([mean]))]
    said += [NegativeBinomial(_raw([[mean, spread]])) for spread in (0.001, 0.2, 5.0)]
    for one in said:
        off = np.abs(one.summed(EVEN_LEVELS).numpy() - _scipy(one).ppf(EVEN_LEVELS)).max()
        deviation = one.deviation.item()
        assert off <= (0 if deviation < 7 else max(1, 0.01 * deviation))


def test_quantiles_are_sorted_linear_between_levels_and_constant_beyond():
    structure = TrainConfig(loss="quantile", quantiles=(0.2, 0.4, 0.8)).structure()
    said = forecast(structure, torch.tensor([[5.0, 1.0, 2.0]]))  # crossing
    assert said is not None
    found = said.quantile([0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.95])
    torch.testing.assert_close(found, torch.tensor([[[1.0, 1.0, 1.5, 2.0, 3.5, 5.0, 5.0]]]))
    # .2 · 1 + .2 · 1.5 + .4 · 3.5 + .2 · 5
    assert said.mean.item() == pytest.approx(2.9)


def test_a_single_level_is_everywhere():
    said = forecast(TrainConfig(loss="quantile", quantiles=(0.7,)).structure(), torch.ones(2, 3))
    assert said is not None
    assert said.quantile([0.1, 0.9]).tolist() == [[[1.0, 1.0]] * 3] * 2
    assert said.sample(torch.Generator()).shape == (2, 3)


@pytest.mark.parametrize("loss", WITH_ONE)
def test_quantiles_never_cross(loss):
    said, _ = _said(loss)
    assert (said.quantile([n / 100 for n in range(1, 100)]).diff(dim=-1) >= 0).all()


@pytest.mark.parametrize("loss", WITH_ONE)
def test_crps_needs_no_value_on_the_host(loss):
    width = OUTPUTS * LOSSES[loss].width(TrainConfig(loss=loss).structure())
    said = forecast(TrainConfig(loss=loss).structure(), torch.zeros(2, 5, width, device="meta"))
    assert said is not None
    assert said.crps(torch.zeros(2, 5, OUTPUTS, device="meta")).shape == (2, 5, OUTPUTS)
