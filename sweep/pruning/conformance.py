"""What every pruning rule must hold, as a function to call from a test of one's own.

`check_rule("my_rule", {"min_epochs": 2})` reads the rule as a sweep file would name it.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping
from typing import Any

from sweep.config.sections import SearchSection
from sweep.history.state import Standing, TrialState
from sweep.pruning.verdicts import PausingRule, Rung, StoppingRule, rule_of

_TRIALS = 12


def check_rule(name: str, options: Mapping[str, Any]) -> None:
    """Hold the rule of this name, with these keys, to what the scheduler counts on.

    Raises:
        AssertionError: a law is broken; the message says which.
    """
    search = SearchSection.model_validate({"pruning": {"rule": name, **options}})
    again = SearchSection.model_validate(search.model_dump(mode="json"))
    _require(again == search, "a section must be the same once it was recorded and read")
    rule = rule_of(search.pruning, 1.0)
    _check_rungs(rule)
    if isinstance(rule, PausingRule):
        _check_pausing(rule)
    else:
        first, second = (rule_of(search.pruning, 1.0) for _ in range(2))
        assert isinstance(first, StoppingRule)
        assert isinstance(second, StoppingRule)
        _check_stopping(first, second)


def _check_rungs(rule: StoppingRule | PausingRule) -> None:
    _require(isinstance(rule.name, str), "a rule must have a name")
    for most in (1, 2, 3, 10, 27, 100):
        for index in range(20):
            rungs, bracket = rule.rungs(most, index), rule.bracket(most, index)
            _require(rungs == tuple(sorted(set(rungs))), f"rungs must ascend, but are {rungs}")
            within = all(1 <= epoch < most for epoch in rungs)
            _require(within, f"rungs must lie from 1 to below max_epochs={most}, but are {rungs}")
            _require(bracket >= 0, f"a bracket must be >= 0, but is {bracket}")
            _require(
                (rungs, bracket) == (rule.rungs(most, index), rule.bracket(most, index)),
                "rungs and bracket must depend on max_epochs and index alone",
            )


def _check_pausing(rule: PausingRule) -> None:
    kept = [rule.keeps(reached) for reached in range(200)]
    _require(all(0 <= k <= n for n, k in enumerate(kept)), "keeps(n) must lie from 0 to n")
    _require(kept == sorted(kept), "keeps must not fall when more trials reach a rung")
    for index in range(20):
        most = [rule.most_kept(81, index, epoch, 200) for epoch in rule.rungs(81, index)]
        _require(most == sorted(most, reverse=True), "most_kept must not grow from rung to rung")
        _require(all(0 <= m <= 200 for m in most), "most_kept must lie from 0 to all trials")


def _check_stopping(first: StoppingRule, second: StoppingRule) -> None:
    """A rule of each kind judges the same trials, which stand in another order."""
    numbers = list(range(_TRIALS))
    shuffled = random.Random(0).sample(numbers, _TRIALS)
    for epoch in first.rungs(9, 0):
        rung, mixed = _rung(epoch, numbers), _rung(epoch, shuffled)
        kept = first.kept(rung)
        _require(kept <= set(rung.candidates), "kept must name candidates only")
        _require(kept == second.kept(mixed), "the order of a rung's trials must change nothing")


def _rung(epoch: int, numbers: list[int]) -> Rung:
    """Return a rung where trials of 9 epochs wait; every third one is complete."""
    trials = {number: _trial(number, epoch) for number in numbers}
    candidates = {n: t.best_at(epoch, 1.0) for n, t in trials.items() if not t.ended}
    complete = [t.best_at(epoch, 1.0) for t in trials.values() if t.ended]
    return Rung(epoch, candidates, complete, trials)


def _trial(number: int, epoch: int) -> TrialState:
    ended = number % 3 == 0
    curve = array("d", [(number * 7 % _TRIALS) + 1 / step for step in range(1, 10)])
    return TrialState(
        number,
        *(f"u{number}", {}, {}, 0, "sampler", 0.0),
        state=Standing.COMPLETE if ended else Standing.RUNNING,
        epoch=9 if ended else epoch,
        curve=curve if ended else curve[:epoch],
        max_epochs=9,
        index=number,
    )


def _require(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(f"{law}.")
