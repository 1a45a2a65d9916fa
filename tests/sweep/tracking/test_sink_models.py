"""Which trials become models, and which model becomes the champion."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweep.config.sweep_config import SweepConfig, validate
from sweep.history.state import SweepState
from sweep.log.event import Event
from sweep.log.kinds import Asked, Closed, Completed, Ensembled, Evaluated, Opened
from sweep.models.champions import Finalist, contest, finalists_of, version_tags
from tests.sweep.events_factory import some
from trainers.config.objective import Objective


def config(**finalists: int) -> SweepConfig:
    return validate({"name": "s", "data": {"source": "digits"}, "finalists": finalists})


def folded(*events: Event) -> SweepState:
    state = SweepState(keep_reports=False)
    for seq, event in enumerate(events, start=1):
        state.apply(replace(event, seq=seq))
    return state


def opened() -> Event:
    objective = {"metric": "rmse", "direction": "minimize"}
    return Event(some(Opened, objectives=(objective,)))


def complete(number: int, rmse: float, of: int | None = None) -> list[Event]:
    asked = some(Asked, uid=f"u{number}", of=of)
    best = {"rmse": rmse}
    end = some(Completed, values=(rmse,), best=best, best_epoch=2, checkpoint=f"c{number}")
    return [Event(asked, number), Event(end, number, 1, 3)]


def evaluated(number: int, rmse: float) -> Event:
    return Event(Evaluated({"rmse": rmse}), number)


def closed(reason: str = "finished") -> Event:
    return Event(some(Closed, reason=reason))


TRIALS = [opened(), *complete(0, 3.0), *complete(1, 1.0), *complete(2, 2.0)]


def test_evaluated_trials_are_finalists_best_validation_first():
    state = folded(*TRIALS, evaluated(2, 5.0), evaluated(1, 6.0), closed())
    found = finalists_of(state, config())
    assert [f.number for f in found] == [1, 2]
    assert found[0] == Finalist(
        uid="u1",
        lead="u1",
        sweep="s",
        number=1,
        checkpoint="c1",
        best_epoch=2,
        digest="abc",
        objective=Objective("rmse"),
        best={"rmse": 1.0},
        test={"rmse": 6.0},
    )


def test_without_a_test_part_the_best_by_validation_are_finalists():
    assert [f.number for f in finalists_of(folded(*TRIALS, closed()), config(count=2))] == [1, 2]
    assert finalists_of(folded(*TRIALS, closed()), config(count=0)) == []


def test_replicates_of_a_finalist_are_not_logged():
    repeated = [*complete(3, 0.5, of=1), evaluated(1, 6.0), evaluated(3, 4.0)]
    found = finalists_of(folded(*TRIALS, *repeated, closed()), config())
    assert [f.number for f in found] == [1]


@pytest.mark.parametrize("end", [[], [closed("interrupted")], [closed(), opened()]])
def test_nothing_is_final_while_the_sweep_goes_on(end: list[Event]):
    assert finalists_of(folded(*TRIALS, evaluated(1, 6.0), *end), config()) == []


def finalist(rmse: float | None = 2.0, **changes: object) -> Finalist:
    test = {} if rmse is None else {"rmse": rmse}
    made = Finalist("new", "s", 1, "c", 2, "abc", Objective("rmse"), test=test)
    return replace(made, **changes)


def tags(rmse: float | None, **changes: object) -> dict[str, str]:
    return version_tags(finalist(rmse, **{"uid": "old", **changes}))


@pytest.mark.parametrize(
    ("challenger", "champion", "wins", "why"),
    [
        (finalist(2.0), None, True, "no champion"),
        (finalist(None), None, True, "no champion"),
        (finalist(2.0), tags(2.5), True, "test rmse 2 against the champion's 2.5"),
        (finalist(2.0), tags(2.0), False, "test rmse 2 against the champion's 2"),
        (finalist(2.0), tags(1.5), False, "against"),
        (finalist(2.0, objective=Objective("rmse", "maximize")), tags(1.5), True, "against"),
        (finalist(2.0), tags(2.5, digest="other"), False, "different data, so the champion stays"),
        (finalist(None), tags(2.5), False, "no test rmse to compare"),
        (finalist(2.0), tags(None), False, "no test rmse on record"),
        (finalist(2.0), {}, False, "different data"),
        (finalist(2.0), tags(2.0, uid="new"), True, "already"),
    ],
)
def test_a_champion_yields_to_a_better_one_on_the_same_test_data_only(
    challenger: Finalist, champion: dict[str, str] | None, wins: bool, why: str
):
    decided, reason = contest(challenger, champion)
    assert decided is wins
    assert why in reason


def combined(better: bool, **taken: int) -> Event:
    members = {name[1:]: count for name, count in taken.items()}
    figures = {"validation": {"rmse": 0.9}, "test": {"rmse": 5.0}}
    return Event(Ensembled(members, 1, better=better, **figures))


def test_an_ensemble_that_is_better_stands_before_the_finalists():
    told = [*TRIALS, evaluated(2, 5.0), evaluated(1, 6.0)]
    state = folded(*told, combined(True, t1=3, t2=1, t0=0), closed())
    first, *others = finalists_of(state, config())
    assert [f.number for f in others] == [1, 2]
    assert (first.name, first.members, first.lead) == ("s-ensemble", (("c1", 3), ("c2", 1)), "u1")
    assert (first.best, first.test) == ({"rmse": 0.9}, {"rmse": 5.0})
    assert version_tags(first)["sweep.trial"] == "ensemble"
    assert contest(first, version_tags(others[0]))[0]
    again = folded(*told, combined(True, t1=2, t2=1), closed())
    assert finalists_of(again, config())[0].uid != first.uid


def test_an_ensemble_that_is_not_better_is_no_finalist():
    state = folded(*TRIALS, evaluated(1, 6.0), combined(False, t1=1, t2=0), closed())
    assert [f.name for f in finalists_of(state, config())] == ["s-1"]
