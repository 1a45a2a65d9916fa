"""`data.folds` in a sweep file: a number, or a section."""

import pytest

from sweep.config.data_folds import folds_of
from sweep.config.sweep_config import validate
from sweep.errors import ConfigProblem
from trainers.data.folds import Folds


def given(folds):
    return validate({"name": "s", "data": {"source": "digits", "folds": folds}}).data.folds


def test_a_number_or_a_section():
    assert folds_of(given(None)) is None
    assert folds_of(given(4)) == Folds(4)
    assert folds_of(given({"count": 4, "window": "sliding", "first": 0.5})) == Folds(
        4, "sliding", 0.5
    )


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (1, r"data\.folds must be >= 2"),
        ("three", r"data\.folds must be"),
        ({"window": "sliding"}, r"data\.folds\.count"),
        ({"count": 3, "window": "rolling"}, r"data\.folds\.window"),
        ({"count": 3, "first": 1.5}, r"data\.folds\.first"),
        ({"count": 3, "kount": 3}, r"data\.folds\.kount"),
    ],
)
def test_mistakes_are_one_line(folds, message):
    with pytest.raises(ConfigProblem, match=message) as caught:
        given(folds)
    assert "\n" not in str(caught.value)
