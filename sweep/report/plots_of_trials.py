"""A sweep's plots over its trials: history and learning curves. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from sweep.history.goal import ranked, searched
from sweep.history.state import Standing, TrialState
from sweep.report.chart import BLACK, GRAY, WIDTH, Chart, Plot, Rows, nothing, plot, rows_of
from sweep.report.drawn import role_of, thinned, thinned_note
from sweep.report.layers import dots, lines, number_axis, shaded
from sweep.report.scales import NumberScale, value_scale
from sweep.results.results import Results
from sweep.words.console import short
from trainers.config.objective import Objective

_TOP = 5
_MAX_LINE_POINTS = 120


def history(results: Results) -> Plot:
    """Return every trial's value in the order of asking, and the best value so far."""
    title = "Optimization history"
    trials = [t for t in searched(results.trials) if t.epoch > 0 or t.ended]
    if not trials:
        return nothing("history", title, "no trial has reported yet")
    shown = thinned(results, trials)
    data: dict[str, Rows] = {}
    panels = [
        _history_panel(results, trials, shown, index, data)
        for index in range(len(results.goal.objectives))
    ]
    if results.several_objectives:
        panels.append(_front_panel(results, shown, data))
    note = (
        "black line: the best so far; a pruned trial's value is the best that it had reached; "
        "values far off lie at the edge"
    )
    best = results.best()
    summary = f"{len(trials):,} trials. " + (
        "None is complete."
        if best is None
        else f"Best {results.goal.leading.metric}: "
        f"{short(results.goal.leading_value(best))}, trial {best.number}."
    )
    return plot(
        "history", title, alt.vconcat(*panels), data,
        note=thinned_note(note, shown, trials), summary=summary,
    )  # fmt: skip


def learning_curves(results: Results) -> Plot:
    """Return the leading metric on validation by epoch: the best trials over all others."""
    title, metric = "Learning curves", results.goal.leading.metric
    trials = [t for t in searched(results.trials) if any(map(math.isfinite, t.curve))]
    if not trials:
        return nothing("learning_curves", title, "no epoch is reported yet")
    best = [trial.number for trial in ranked(trials, results.goal)[:_TOP]]
    shown = thinned(results, trials)
    rows = [_curve(trial, best) for trial in shown]
    rows.sort(key=lambda row: row["shade"])  # the best ones on top
    chart = lines(
        "curves",
        alt.condition("datum.strong", shaded(), alt.value(GRAY)),
        ("epoch", "value"),
        x=number_axis("epoch", _epochs(trials), "epoch"),
        y=number_axis("value", _values(trials), f"validation {metric}"),
    ).properties(width=WIDTH, height=320)
    names = ", ".join(map(str, best)) or "none complete"
    note = f"strong lines: the best complete trials ({names}; the darker, the better)"
    return plot(
        "learning_curves", title, chart, {"curves": rows}, note=thinned_note(note, shown, trials),
        summary=f"Validation {metric} by epoch of {len(trials):,} trials; the best: {names}.",
    )  # fmt: skip


def _history_panel(
    results: Results, trials: Sequence[TrialState], shown: Sequence[TrialState], index: int,
    data: dict[str, Rows],
) -> Chart:  # fmt: skip
    """Return the panel of one objective, and add its rows to `data`."""
    objective = results.goal.objectives[index]
    values = {trial.number: results.goal.values(trial)[index] for trial in trials}
    scale = value_scale((v for v in values.values() if v is not None), objective.direction)
    worst = scale.high if objective.sign > 0 else scale.low
    rows: Rows = [
        {"trial": t.number, "role": role_of(t), "value": worst if value is None else value}
        for t in shown
        if (value := values[t.number]) is not None or t.state is Standing.FAILED
    ]
    data[f"trials_{index}"] = rows
    data[f"best_{index}"] = _best_so_far(results, trials, values, objective)
    x = number_axis("number", NumberScale(0, max(1, trials[-1].number), whole=True), "trial")
    y = number_axis("value", scale, objective.metric)
    line = rows_of(f"best_{index}").mark_line(interpolate="step-after", color=BLACK)
    every = dots(
        f"trials_{index}", (row["role"] for row in rows), x={**x, "field": "trial"}, y=y,
    )  # fmt: skip
    return alt.layer(line.encode(x=x, y=y), every).properties(width=WIDTH, height=260)


def _best_so_far(
    results: Results, trials: Sequence[TrialState], values: Mapping[int, float | None],
    objective: Objective,
) -> Rows:  # fmt: skip
    """Return the best value of complete trials at each trial that changed it, and at the end."""
    steps: list[dict[str, Any]] = []
    for trial in trials:
        value = values[trial.number]
        best = steps[-1]["value"] if steps else None
        if value is not None and results.goal.ranks(trial) and objective.better(value, best):
            steps.append({"number": trial.number, "value": value})
    return steps + [{**step, "number": trials[-1].number} for step in steps[-1:]]


def _front_panel(results: Results, shown: Sequence[TrialState], data: dict[str, Rows]) -> Chart:
    """Return the first two objectives against each other, the Pareto front as a line."""
    goal, front = results.goal, results.front()
    rows: Rows = [
        {"trial": trial.number, "role": role_of(trial), "one": one, "other": other}
        for trial in shown
        for one, other, *_ in [goal.values(trial)]
        if one is not None and other is not None
    ]
    data["pairs"] = rows
    data["front"] = [
        {"one": row["one"], "other": row["other"]} for row in rows if row["trial"] in front
    ]
    x, y = (
        number_axis(name, value_scale((row[name] for row in rows), whole_range=True), o.metric)
        for name, o in zip(("one", "other"), goal.objectives, strict=False)
    )
    line = rows_of("front").mark_line(color=BLACK).encode(x=x, y=y)
    every = dots(
        "pairs",
        (row["role"] for row in rows),
        x=x,
        y=y,
    )
    return alt.layer(line, every).properties(width=WIDTH, height=320, title="Pareto front")


def _curve(trial: TrialState, best: Sequence[int]) -> dict[str, Any]:
    step = math.ceil(len(trial.curve) / _MAX_LINE_POINTS)
    last = len(trial.curve) - 1
    points = [
        (index + 1, float(f"{value:.5g}"))
        for index, value in enumerate(trial.curve)
        if math.isfinite(value) and (index % step == 0 or index == last)
    ]
    strong = trial.number in best
    return {
        "trial": trial.number,
        "epoch": [epoch for epoch, _ in points],
        "value": [value for _, value in points],
        "strong": strong,
        "shade": 1 - best.index(trial.number) / len(best) if strong else 0.0,
    }


def _epochs(trials: Sequence[TrialState]) -> NumberScale:
    return NumberScale(1, max(len(trial.curve) for trial in trials), whole=True)


def _values(trials: Sequence[TrialState]) -> NumberScale:
    return value_scale(value for trial in trials for value in trial.curve)
