"""What every sampler must hold, as a function to call from a test of one's own.

`check_sampler({"name": "my_sampler", …})` reads the sampler as a sweep file would name it, and asks
it for trials of a small space that has no continuous dimension.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces import build_space
from search_spaces.space import Space
from sweep.config.sections import SearchSection
from sweep.history.goal import Goal
from sweep.history.state import Standing, TrialState
from sweep.search.sampler import sampler_of
from sweep.search.study import Search, SearchRules, search_limit
from trainers.config.objective import Objective

_SPACE = {"cell": ["gru", "lstm"], "hidden_size": [2, 4, 8, 16], "num_layers": [1, 2]}
_ASKS = 14
_SEED = 3


def check_sampler(sampler: str | Mapping[str, Any]) -> None:
    """Hold a sampler to what the search counts on.

    Args:
        sampler: What stands in a file as `search.sampler`.

    Raises:
        AssertionError: a law is broken; the message says which.
    """
    section = SearchSection.model_validate({"sampler": sampler})
    again = SearchSection.model_validate(section.model_dump(mode="json"))
    _require(again == section, "a section must be the same once it was recorded and read")
    space = build_space(None, _SPACE)
    goal = Goal((Objective("loss"),))
    rules = SearchRules(section.sampler, _SEED, goal, enqueue=({"cell": "gru"},))
    whole = _asked(space, rules)
    _require(whole == _asked(space, rules), "the same seed must propose the same")
    for restart in (1, 5, _ASKS - 1):
        rebuilt = _asked(space, rules, restart)
        _require(rebuilt == whole, "a search rebuilt from its log must propose the same")
    names = all(params.keys() == _SPACE.keys() for params in whole)
    _require(names, "every trial must have every parameter of a flat space")
    limit = search_limit(space, rules)
    if limit is not None:
        _require(limit > 1, "a sampler that has a count must list one configuration at least")
        _asked(space, rules, asks=limit)
    elif not sampler_of(section.sampler, space, _SEED).listed(0):
        _check_pinned(space, rules)


def _check_pinned(space: Space, rules: SearchRules) -> None:
    search = Search(space, rules)
    search.ask()
    for _ in range(_ASKS):
        params, _ = search.ask({"cell": "lstm"})
        _require(params["cell"] == "lstm", "a pinned parameter must stay")


def _asked(
    space: Space, rules: SearchRules, restart: int | None = None, asks: int = _ASKS
) -> list[dict[str, Any]]:
    """Ask and tell one by one; before ask `restart` rebuild the search, as a resume does."""
    search, done = Search(space, rules), list[TrialState]()
    for number in range(asks):
        if number == restart:
            search = Search(space, rules)
            for trial in done:
                search.restore(trial)
                search.tell(trial)
        params, _ = search.ask()
        done.append(_ended(number, params))
        search.tell(done[-1])
    return [trial.params for trial in done]


def _ended(number: int, params: dict[str, Any]) -> TrialState:
    value = abs(params["hidden_size"] - 5.0) + params["num_layers"]
    return TrialState(
        number,
        *(f"u{number}", params, {}, 0, "enqueued" if number == 0 else "sampler", 0.0),
        state=Standing.COMPLETE,
        epoch=1,
        values=(value,),
        best={"loss": value},
        index=number,
        lead=number,
    )


def _require(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(f"{law}.")
