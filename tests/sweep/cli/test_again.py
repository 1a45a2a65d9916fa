"""What is said to be typed again is what was typed, but for what shall change."""

import sys

import pytest

from sweep.cli.again import typed


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["run", "digits"], "rnn-sweep run digits --trials 9"),
        (["run", "--trials", "3", "digits"], "rnn-sweep run digits --trials 9"),
        (
            ["run", "digits", "--trials=3", "--name", "a b"],
            "rnn-sweep run digits --name 'a b' --trials 9",
        ),
        (
            ["run", "digits", "--set", "x=[1, 2]"],
            "rnn-sweep run digits --set 'x=[1, 2]' --trials 9",
        ),
    ],
)
def test_an_option_is_set_anew_and_the_rest_stays_as_typed(monkeypatch, words, wanted):
    monkeypatch.setattr(sys, "argv", ["/somewhere/rnn-sweep", *words])
    assert typed(trials=9) == wanted


def test_what_is_not_to_change_stays(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x", "run", "my.yaml", "--budget-hours", "2"])
    assert typed(budget_hours=None) == "rnn-sweep run my.yaml --budget-hours 2"
    assert typed(budget_hours=4.0) == "rnn-sweep run my.yaml --budget-hours 4.0"
