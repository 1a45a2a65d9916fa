"""Targets that each sequence scales its own way: metrics are of the data's common scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score

from tests.trainers.factory import (
    RMSE,
    admitted,
    prefix_mask,
    regression_set,
    slot_weights,
    wrap,
)
from tests.trainers.fused_cases import every_way
from trainers.config.metrics import METRICS, Accumulator, MetricType
from trainers.config.train_config import TrainConfig
from trainers.data.views import Picked
from trainers.learning.batches import Part
from trainers.learning.metrics import Tally, total_squares
from trainers.use.streaming import StreamingModel

CONFIG = TrainConfig(
    cell="gru", hidden_size=3, batch_size=4, max_epochs=1, dtype="float64", readout="every",
    learning_rate=0.0,
)  # fmt: skip


def by_series(rows, outputs=1):
    """Series of scale 1 and of scale 100 about 50, in turn."""
    pair = np.array([[[1.0], [0.0]], [[100.0], [50.0]]])
    return np.tile(pair, (-(-rows // 2), 1, outputs))[:rows]


def scaled_apart(rows=9, mask=None, **options):
    data = regression_set(rows, 6, mask=mask, dtype=np.float64, **options)
    return replace(data, rescale=by_series(rows, data.targets.shape[-1]))


def own_units(values, data, scale=1.0, shift=0.0):
    """Return `(rows, steps, outputs)` in own units."""
    factor, offset = data.rescale[:, None, 0], data.rescale[:, None, 1]
    return (values * factor + offset) * scale + shift


def test_errors_of_series_of_scales_1_and_100_are_averaged_in_own_units():
    """Both err by 1 in what the network sees: by 1 and by 100 kWh; a common scale of 10 on top."""
    data = wrap(scaled_apart(2), target_scale=np.array([10.0]), target_shift=np.array([3.0]))
    tally = Tally(data, CONFIG.structure())
    outputs, targets = torch.tensor([[[1.0], [0.0]]]), torch.tensor([[[0.0], [1.0]]])
    tally.add(outputs, targets, rescale=torch.from_numpy(by_series(2)[None]))
    tally.loss_sum = tally.loss_count = 1.0
    result = tally.result(np.array([20002.0]))
    assert result == pytest.approx(
        {"loss": 1.0, "mse": 500050.0, "rmse": 500050.0**0.5, "mae": 505.0, "r2": 0.5}, abs=1e-4
    )


def test_sums_in_own_units_see_them():
    """A metric of somebody else's that asks for own units: the sum of the answers."""
    add = Accumulator(("answers",), lambda outputs, targets, mask: outputs.sum(1, keepdim=True),
                      own_units=True)  # fmt: skip
    mine = MetricType("sum", "minimize", "target", ("values",),
                      lambda sums, of: float(sums["answers"].sum()), (add,))  # fmt: skip
    data = wrap(scaled_apart(2), target_scale=np.array([10.0]), target_shift=np.array([3.0]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(METRICS._own, "sum of answers", mine)
        tally = Tally(data, CONFIG.structure())
    tally.add(
        torch.ones(1, 2, 1), torch.ones(1, 2, 1), rescale=torch.from_numpy(by_series(2)[None])
    )
    tally.loss_count = 1.0
    assert tally.result()["sum of answers"] == (1 * 10 + 3) + (150 * 10 + 3)


@pytest.mark.parametrize("readout", ["every", "last"])
@pytest.mark.parametrize("lengths", [None, [6, 2, 3, 1, 6, 4, 5, 6, 3]])
@every_way
def test_reports_are_of_own_units_and_the_loss_is_as_stored(tmp_path, way, lengths, readout):
    mask = None if lengths is None else prefix_mask(lengths, 6)
    part = scaled_apart(mask=mask, outputs=2)
    scale = {"target_scale": np.array([2.0, 3.0]), "target_shift": np.array([1.0, 0.0])}
    config = replace(CONFIG, readout=readout, tbptt_forward_steps=4)
    data, plain = wrap(part, **scale), wrap(replace(part, rescale=None), **scale)
    pack = way.packed([config, replace(config, seed=1)], data)
    [report, _] = pack.train_epoch()
    unscaled = admitted(config, plain).train(0)
    assert report.train["loss"] == pytest.approx(unscaled.train["loss"])
    assert report.validation["loss"] == pytest.approx(unscaled.validation["loss"])

    pack.save(0, tmp_path / "trial")
    outputs = StreamingModel.from_checkpoint(tmp_path / "trial").step(torch.from_numpy(part.inputs))
    own = (scale["target_scale"], scale["target_shift"])
    guesses, actual = (own_units(v, part, *own) for v in (outputs.numpy(), part.targets))
    exists = np.ones((9, 6), dtype=bool) if mask is None else mask
    at = exists if readout == "every" else (np.arange(9), exists.sum(1) - 1)
    guesses, actual = guesses[at], actual[at]
    for metrics in (report.train, report.validation, pack.evaluate(0, "train")):
        assert metrics["mse"] == pytest.approx(np.square(guesses - actual).mean(), rel=1e-9)
        assert metrics["mae"] == pytest.approx(np.abs(guesses - actual).mean(), rel=1e-9)
        assert metrics["r2"] == pytest.approx(r2_score(actual, guesses), rel=1e-9)


def test_rows_that_are_cut_at_resets_keep_their_scale():
    """Five series of scale 1 and four of scale 100: their errors apart, then together."""
    part = replace(scaled_apart(), resets=np.random.default_rng(0).random((9, 6)) < 0.3)

    def mse(rows, **changes):
        arrays = {n: getattr(part, n)[rows] for n in ("inputs", "targets", "resets", "rescale")}
        some = replace(part, **(arrays | changes))
        return admitted(CONFIG, wrap(some)).train(0).validation["mse"]

    everyone = np.arange(9)
    near, far = mse(everyone[::2], rescale=None), mse(everyone[1::2], rescale=None)
    assert mse(everyone) == pytest.approx((near * 5 + far * 4 * 100**2) / 9)
    assert mse(everyone, rescale=None) == pytest.approx((near * 5 + far * 4) / 9)


def test_what_is_learned_does_not_know_of_it():
    config = replace(CONFIG, learning_rate=0.05, max_epochs=2)
    part = scaled_apart()
    one, other = admitted(config, wrap(part)), admitted(config, wrap(replace(part, rescale=None)))
    for pack in (one, other):
        pack.train(0)
    assert torch.equal(slot_weights(one), slot_weights(other))


def test_scales_may_be_picked_by_series():
    part = scaled_apart()
    series = Picked(by_series(2), np.arange(9) % 2)
    one, other = (admitted(CONFIG, wrap(p)) for p in (part, replace(part, rescale=series)))
    assert one.train(0).validation == other.train(0).validation


@pytest.mark.parametrize("readout", ["every", "last"])
def test_total_squares_are_of_the_common_scale(readout):
    mask = prefix_mask([6, 2, 3, 1], 6)
    part = scaled_apart(4, mask=mask, outputs=2)
    part.targets[~mask] = np.nan
    found = total_squares(Part(part, replace(CONFIG, readout=readout).structure()))
    ends = np.arange(4), mask.sum(1) - 1
    seen = own_units(part.targets, part)[mask if readout == "every" else ends]
    np.testing.assert_allclose(found, ((seen - seen.mean(0)) ** 2).sum(0), rtol=1e-12)


def test_a_series_that_stands_still_at_two_levels_has_variance():
    """Each target is 0 in its own scale: 0 and 50 in the common one."""
    part = scaled_apart(2)
    part.targets[:] = 0
    assert total_squares(Part(part, CONFIG.structure())).tolist() == [12 * 25.0**2]
    admitted(CONFIG, wrap(part), replace(RMSE, metric="r2", direction="maximize"))
