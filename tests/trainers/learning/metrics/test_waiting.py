"""Sums of small batches are put off, and are bit for bit what they would have been."""

from __future__ import annotations

import pytest
import torch

from trainers.config.losses import LOSSES
from trainers.config.train_config import TrainConfig
from trainers.conformance.examples import OUTPUTS, data_of
from trainers.learning import losses
from trainers.learning.metrics import Tally

SHAPES = (7, 7, 7, 3, 7, *(5,) * 40, 1)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("read_every", [1, 3, 1000])
def test_when_sums_are_made_changes_no_bit(loss, read_every):
    kind, structure = LOSSES[loss].targets, TrainConfig(loss=loss, readout="every").structure()
    data = data_of("counts" if LOSSES[loss].counts else kind)
    often, seldom = Tally(data, structure), Tally(data, structure)
    generator = torch.Generator().manual_seed(0)
    for place, rows in enumerate(SHAPES):
        width = OUTPUTS * LOSSES[loss].width(structure)
        outputs = torch.randn(1, rows, width, generator=generator)
        targets = torch.randn(1, rows, OUTPUTS, generator=generator).abs().round()
        targets = targets.argmax(-1) if kind == "ids" else targets.clamp(max=1)
        mask = None if place % 5 else torch.rand(1, rows, 1, generator=generator) > 0.4
        values = losses.elements(structure, outputs, targets)
        for tally in (often, seldom):
            tally.add(outputs, targets, mask, None, values)
        often.sums  # noqa: B018 (it is made when it is read)
        if place % read_every == 0:
            seldom.sums  # noqa: B018
    assert torch.equal(often.sums, seldom.sums)
    assert often.elements == seldom.elements


def test_a_pass_that_is_cleared_or_restored_forgets_what_waits():
    tally = Tally(data_of(), TrainConfig(readout="every").structure())
    batch = torch.ones(1, 3, OUTPUTS), torch.zeros(1, 3, OUTPUTS)
    tally.add(*batch)
    saved, numbers = tally.tensors(), tally.numbers()
    tally.add(*batch)
    tally.restore(saved, numbers)
    assert tally.sums[0].tolist() == [3.0] * OUTPUTS
    tally.add(*batch)
    tally.clear()
    assert not tally.sums.any()
