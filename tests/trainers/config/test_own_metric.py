"""A metric of one's own is held to be a number, on the user's line of code."""

from __future__ import annotations

import logging
import pickle

import numpy as np
import pytest

from tests.trainers.factory import classes_set, prefix_mask, regression_set, wrap
from trainers.config.metrics import Judged
from trainers.config.own_metric import OwnMetric
from trainers.errors import ConfigError

JUDGED = Judged(np.zeros((2, 1)), np.ones((2, 1)), np.ones((2, 1), bool))


def own(body, **facts):
    return OwnMetric(
        "mine", "/a/own.py", f"def mine(predictions, targets, mask):\n    {body}\n", **facts
    )


@pytest.mark.parametrize(
    "value", ["3", "3.0", "__import__('numpy').float32(3)", "targets.sum() + 1"]
)
def test_any_number_will_do(value):
    metric = pickle.loads(pickle.dumps(own(f"return {value}")))  # as it travels to workers
    assert metric.value(JUDGED) == 3.0


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return 'low'", r"finite number, but own\.py:mine returned 'low' \(str\)"),
        ("return True", r"returned 'True' \(bool\)"),
        ("return None", r"returned 'None' \(NoneType\)"),
        ("return targets", "returned .* \\(ndarray\\)"),
        ("return float('inf')", r"returned 'inf' \(float\)"),
        ("return 1 / 0", r"metric mine fails at own\.py:2: ZeroDivisionError: division by zero"),
    ],
)
def test_everything_else_is_one_line(body, says):
    with pytest.raises(ConfigError, match=says) as caught:
        own(body).value(JUDGED)
    assert "\n" not in str(caught.value)


def test_nan_is_absent_and_said_once(caplog):
    with caplog.at_level(logging.WARNING):
        assert [own("return float('nan')").value(JUDGED) for _ in range(3)] == [None] * 3
    assert caplog.text.count("own.py:mine returned NaN") == 1


def test_it_is_tried_on_targets_before_anything_is_trained():
    mask = prefix_mask([3, 5, 2], 5)
    numbers = wrap(regression_set(3, 5, mask=mask))
    own("assert predictions.shape == targets.shape == (10, 1) and mask.all(); return 1").try_on(
        numbers
    )
    classes = wrap(classes_set(3, 5, mask=mask), task="classification")
    own("assert predictions.shape == (10, 3) and targets.shape == (10,); "
        "assert (predictions.argmax(1) == targets).all(); return 1").try_on(classes)  # fmt: skip
    with pytest.raises(ConfigError, match="AttributeError"):
        own("return predictions.nothing").try_on(numbers)
