"""Every metric keeps what is asked of a metric."""

from __future__ import annotations

import pytest

from trainers.config.metrics import METRICS
from trainers.conformance import metrics


@pytest.mark.parametrize("check", metrics.CHECKS)
@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_conforms(metric, check):
    check(metric)
