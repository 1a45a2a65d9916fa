"""What pruning decided: a plot of each rung's trials. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from sweep.history.goal import searched
from sweep.history.state import Standing, TrialState
from sweep.report.chart import COLORS, Plot, Role, Rows, nothing, plot, rows_of
from sweep.report.drawn import jitter, thinned
from sweep.report.layers import dots, jittered, number_axis
from sweep.report.scales import value_scale
from sweep.results.results import Results

_ROLES = (Role.WENT_ON, Role.STOPPED)
Entered = Mapping[int, Sequence[tuple[TrialState, float]]]


def rungs(results: Results) -> Plot:
    """Return what pruning decided at each rung: how many went on, and at which values."""
    title, metric = "Rungs", results.goal.leading.metric
    trials = searched(results.trials)
    entered = {epoch: _entered(results, trials, epoch) for epoch in rung_epochs(trials)}
    if not entered:
        rule = results.config.search.pruning.rule
        return nothing("rungs", title, f"no trial was judged at a rung (pruning rule {rule})")
    drawn = {trial.number for trial in thinned(results, trials)}
    rows = _rows(results, entered, drawn)
    reached = (results.state.sign * value for found in entered.values() for _, value in found)
    y = value_scale(reached, results.goal.leading.direction)
    x = alt.X("rung:O", title="rung (epoch)", axis=alt.Axis(labelAngle=0))
    counts = rows_of("counts").mark_bar().encode(
        x=x, y=alt.Y("trials:Q", title="trials judged"),
        color=alt.Color("color:N", scale=None),
    )  # fmt: skip
    best = number_axis("value", y, f"best {metric} so far")
    values = dots("trials", _ROLES, x=x, xOffset=jittered(), y=best)
    panels = counts.properties(width=400, height=260), values.properties(width=500, height=260)
    chart = alt.hconcat(*panels).resolve_scale(xOffset="independent")
    data = {"trials": rows, "counts": _counts(entered)}
    return plot("rungs", title, chart, data, summary=_summary(entered))


def rung_epochs(trials: Sequence[TrialState]) -> list[int]:
    """Return the epochs at which a rung decided something."""
    stopped = {t.epoch for t in trials if t.state in (Standing.PRUNED, Standing.PAUSED)}
    return sorted((stopped | {e for t in trials for e in (t.cleared, t.recalled)}) - {0})


def _rows(results: Results, entered: Entered, drawn: set[int]) -> list[dict[str, Any]]:
    return [
        {
            "trial": trial.number,
            "rung": epoch,
            "role": Role.WENT_ON if trial.cleared >= epoch else Role.STOPPED,
            "value": results.state.sign * value,
            "jitter": jitter(trial.number),
        }
        for epoch, found in entered.items()
        for trial, value in found
        if trial.number in drawn
    ]


def _counts(entered: Entered) -> Rows:
    counts = []
    for epoch, found in entered.items():
        went_on = _went_on(epoch, found)
        for role, count in zip(_ROLES, (went_on, len(found) - went_on), strict=True):
            counts.append({"rung": epoch, "trials": count, "color": COLORS[role]})
    return counts


def _went_on(epoch: int, found: Sequence[tuple[TrialState, float]]) -> int:
    return sum(trial.cleared >= epoch for trial, _ in found)


def _summary(entered: Entered) -> str:
    went = (f"{_went_on(e, found)} of {len(found)} at epoch {e}" for e, found in entered.items())
    return f"Trials that went on: {', '.join(went)}."


def _entered(
    results: Results, trials: Sequence[TrialState], epoch: int
) -> list[tuple[TrialState, float]]:
    """Return the trials that were judged at a rung, with their best value up to there."""
    judged = [
        trial
        for trial in trials
        if trial.cleared >= epoch
        or trial.recalled == epoch
        or (trial.epoch == epoch and trial.state in (Standing.PRUNED, Standing.PAUSED))
    ]
    values = ((trial, trial.best_at(epoch, results.state.sign)) for trial in judged)
    return [(trial, value) for trial, value in values if math.isfinite(value)]
