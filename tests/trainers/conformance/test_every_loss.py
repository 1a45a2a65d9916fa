"""Every loss keeps what is asked of a loss."""

from __future__ import annotations

import pytest

from trainers.config.losses import LOSSES
from trainers.conformance import losses


@pytest.mark.parametrize("check", losses.CHECKS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_conforms(loss, check):
    check(loss)
