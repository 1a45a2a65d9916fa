"""The table of a sweep's trials: best first, with as many parameters as fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from sweep.history.goal import searched
from sweep.history.state import TrialState
from sweep.results.results import Results
from sweep.words.console import duration, setting, short

_STATE_STYLES = {"complete": "green", "pruned": "yellow", "failed": "red", "running": "cyan"}
_STATE_ORDER = ("complete", "pruned", "running", "paused", "failed")


def results_table(results: Results, width: int) -> Table:
    """Return the trials, best first, with as many parameters as fit into `width` characters.

    Replicates have a table of their own (`sweep.cli.printing_replicates`).
    """
    trials = sorted(searched(results.trials), key=lambda trial: _best_first(results, trial))
    columns = _columns(results, trials)
    shown, hidden = dict(columns), []
    for name in varying(trials):
        cells = [setting(t.params[name]) if name in t.params else "-" for t in trials]
        if _width({**shown, name: cells}) <= width:
            shown[name] = cells
        else:
            hidden.append(name)
    caption = f"not shown: {', '.join(hidden)} (see --format csv)" if hidden else None
    table = Table(box=None, pad_edge=False, header_style="bold", caption=caption)
    table.caption_justify = "left"
    for name in shown:
        table.add_column(name, justify="left" if name == "state" else "right", no_wrap=True)
    for index, trial in enumerate(trials):
        cells = [column[index] for column in shown.values()]
        table.add_row(*cells, style=_STATE_STYLES.get(results.status_of(trial)))
    return table


def _best_first(results: Results, trial: TrialState) -> tuple[Any, ...]:
    state = _STATE_ORDER.index(results.status_of(trial))
    return (state, not results.goal.allows(trial), results.goal.leading_cost(trial), trial.number)


def _columns(results: Results, trials: Sequence[TrialState]) -> dict[str, list[str]]:
    goal = results.goal
    columns = {
        "trial": [str(trial.number) for trial in trials],
        "state": [results.status_of(trial) for trial in trials],
    }
    if any(trial.of is not None for trial in trials):
        columns["audit of"] = ["" if trial.of is None else str(trial.of) for trial in trials]
    values = [goal.values(trial) for trial in trials]
    for index, objective in enumerate(goal.objectives):
        columns[objective.metric] = [short(value[index]) for value in values]
    if results.several_objectives:
        front = results.front()
        columns["pareto"] = ["yes" if trial.number in front else "" for trial in trials]
    metric = goal.leading.metric
    if any(trial.test for trial in trials):
        columns[f"test {metric}"] = [short(trial.test.get(metric)) for trial in trials]
    columns["epochs"] = [str(trial.epoch) for trial in trials]
    columns["time"] = [duration(trial.train_seconds) for trial in trials]
    return columns


def varying(trials: Sequence[TrialState]) -> list[str]:
    """Return the parameters that differ between trials, in the space's order."""
    names = dict.fromkeys(name for trial in trials for name in trial.params)
    return [
        name
        for name in names
        if len({repr(trial.params.get(name, "absent")) for trial in trials}) > 1
    ]


def _width(columns: Mapping[str, Sequence[str]]) -> int:
    return sum(max(map(len, (name, *cells))) + 2 for name, cells in columns.items())
