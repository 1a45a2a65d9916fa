"""Metrics' names as MLflow takes them, whatever a class is called."""

from __future__ import annotations

import pytest
from mlflow.utils.validation import _validate_metric_name

from sweep.models.champions import Finalist, version_tags
from sweep.tracking.run import metric_key
from trainers.config.objective import Objective


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("rmse/h3", "rmse/h3"),
        ("coverage/0.8/h12", "coverage/0.8/h12"),
        ("f1/größer (10 %)", "f1/größer _10 __"),
        ("f1/..", "f1/_"),
        ("f1/a//b", "f1/a/_/b"),
        ("f1/" + "x" * 400, "f1/" + "x" * 197),
    ],
)
def test_a_metric_has_a_key_that_mlflow_takes(name, key):
    assert metric_key(name) == key
    _validate_metric_name(metric_key(name))


def test_a_model_is_tagged_with_what_it_is_judged_by_not_with_every_step():
    metrics = {"rmse": 1.0, "rmse/h1": 0.5, "rmse/h2": 1.5, "f1/red": 0.2}
    objective = Objective("rmse/h2")
    finalist = Finalist("u", "s", 0, "c", 1, "d", objective, best=metrics, test=metrics)
    tags = version_tags(finalist)
    assert {name for name in tags if name.startswith("sweep.best.")} == {
        "sweep.best.rmse", "sweep.best.rmse/h2",
    }  # fmt: skip
