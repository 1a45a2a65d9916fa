"""Which metrics data and a loss have, and what is said of those that they don't."""

from __future__ import annotations

import pytest

from tests.trainers.factory import classes_set, regression_set, wrap
from trainers.config.measured import (
    Asked,
    end_metrics,
    epoch_metrics,
    find_metric,
    metric_names,
    train_metrics,
    undefined,
)
from trainers.config.metrics import METRICS
from trainers.errors import ConfigError

NUMBERS = wrap(regression_set(4, 3))
AHEAD = wrap(regression_set(4, 3, outputs=2), horizon=2)
CLASSES = wrap(classes_set(9, 4), task="classification", target_names=("red", "green", "blue"))


def test_every_epoch_has_the_usual_ones_and_those_asked_for():
    assert list(epoch_metrics(NUMBERS, "mse")) == ["loss", "mse", "rmse", "mae", "r2"]
    assert list(epoch_metrics(NUMBERS, "mse", Asked(("mape",))))[-1] == "mape"
    late = end_metrics(NUMBERS, "mse", Asked(("mape",)))
    assert "wape" in late
    assert not {"mape", "mse", "mase", "crps"} & late.keys()


def test_training_tells_what_costs_no_sums_of_its_own():
    asked = Asked(("brier", "f1/red", "auc", "recall"))
    told = train_metrics(epoch_metrics(CLASSES, "cross_entropy", asked))
    assert {"accuracy", "f1/red", "recall"} <= told.keys()
    assert not {"brier", "auc"} & told.keys()


@pytest.mark.parametrize(
    ("name", "data", "loss", "says"),
    [
        ("rmze", NUMBERS, "mse", "did you mean rmse"),
        ("accuracy", NUMBERS, "mse", "accuracy needs targets that are classes or labels"),
        ("rmse", CLASSES, "cross_entropy", "rmse needs targets that are numbers"),
        ("mase", NUMBERS, "mse", "mase needs a target whose past is told"),
        ("crps", NUMBERS, "mse", "crps needs a loss with quantiles or a distribution"),
        ("nll", NUMBERS, "mse", "nll needs train.loss gaussian or"),
        ("perplexity", CLASSES, "cross_entropy", "perplexity needs targets that are the next tok"),
        ("parameters", NUMBERS, "mse", "parameters needs more than a pass over data"),
        ("rmse/h1", NUMBERS, "mse", "at least 2 steps at once .data.output_steps., but .* is 1"),
        ("rmse/h3", AHEAD, "mse", "at least 3 steps at once .data.output_steps., but .* is 2"),
        ("rmse/x", AHEAD, "mse", "rmse has steps of a horizon, as rmse/h1, but got 'rmse/x'"),
        ("accuracy/red", CLASSES, "cross_entropy", "accuracy has no parts"),
        ("f1/gren", CLASSES, "cross_entropy", "but got f1/gren; there are 3, as green"),
        ("f1/h1", CLASSES, "cross_entropy", "f1/CLASS must name a class of the data"),
        ("coverage/90", NUMBERS, "gaussian", "a level between 0 and 1, as coverage/0.8, but got"),
    ],
)
def test_what_there_is_not_is_one_line(name, data, loss, says):
    with pytest.raises(ConfigError, match=says) as caught:
        find_metric(name, data, loss)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_what_the_targets_leave_undefined_is_said():
    still = wrap(regression_set(4, 3))
    still.validation.targets[:] = 0.1
    assert undefined("r2", still, "mse", Asked()) == "targets that vary in the validation part"
    still.validation.targets[:] = 0
    assert undefined("mape", still, "mse", Asked()) == "targets other than 0 in the validation part"
    assert undefined("rmse", still, "mse", Asked()) is None
    one = wrap(classes_set(9, 4), task="classification", target_names=("red", "green", "blue"))
    one.validation.targets[:] = 1
    needs = undefined("auc", one, "cross_entropy", Asked())
    assert needs == "targets of at least two classes in the validation part"
    needs = undefined("recall/red", one, "cross_entropy", Asked())
    assert needs == "targets of class red in the validation part"
    assert undefined("recall/green", one, "cross_entropy", Asked()) is None


def test_vocabularies_are_not_ranked_class_by_class():
    ids = wrap(classes_set(9, 4), task="classification", vocabulary_size=3)
    assert not {"auc", "average_precision"} & set(metric_names(ids, "cross_entropy"))
    assert "brier" in metric_names(ids, "cross_entropy")


def test_every_metric_says_what_it_is_and_comes_from_sums_or_from_answers():
    for name, metric in METRICS.items():
        assert metric.sentence, name
        assert not (metric.value and metric.of_answers), name
        assert bool(metric.targets) == bool(metric.value or metric.of_answers), name
        assert "/" not in name
