"""A sweep's plots over its parameters: importance and slices. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from sweep.history.goal import Goal, searched
from sweep.history.state import TrialState
from sweep.report.chart import BLUE, Plot, nothing, plot
from sweep.report.drawn import jitter, role_of, thinned, thinned_note
from sweep.report.layers import bars, dots, number_axis, parameter_axes
from sweep.report.scales import ChoiceScale, NumberScale, Scale, parameter_scale, value_scale
from sweep.results.columns import varying
from sweep.results.optuna_trials import distributions, importances
from sweep.results.results import Results
from sweep.words.console import setting

NONE_DIFFERS = "no parameter differs between trials"
_MAX_SLICES = 12
_MAX_SLICE_DOTS = 4_000


def importance(results: Results) -> Plot:
    """Return how much each parameter matters for the leading objective, largest first."""
    title, metric = "Parameter importance", results.goal.leading.metric
    shares = importances(results)
    if not shares:
        why = "importance needs several complete trials with different values"
        return nothing("importance", title, why)
    rows = [
        {"name": name, "value": share, "text": f"{share:.0%}", "color": BLUE}
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
    ]
    note = (
        f"share of each parameter in {metric}, by Optuna's PED-ANOVA over the complete trials: "
        "which values separate the best tenth from the rest"
    )
    summary = ", ".join(f"{row['name']} {row['text']}" for row in rows) + "."
    chart = bars("shares", max(shares.values()))
    return plot("importance", title, chart, {"shares": rows}, note=note, summary=summary)


def slices(results: Results) -> Plot:
    """Return one panel a parameter: the leading objective over its values."""
    title, goal = "Slices", results.goal
    trials, names = judged(results)
    names = names[:_MAX_SLICES]
    if not names:
        return nothing("slices", title, NONE_DIFFERS)
    shown = thinned(results, trials, _MAX_SLICE_DOTS // len(names))
    scales = scales_of(results, trials, names)
    y = number_axis("value", judged_scale(results, trials), goal.leading.metric)
    rows = [_slice_row(goal, trial, names, scales) for trial in shown]
    panels = [
        dots("trials", (row["role"] for row in rows), y=y,
             **parameter_axes(f"p{index}", scales[name], name + log_mark(scales[name])))
        .transform_filter(f"isValid(datum.p{index})")
        .properties(width=270, height=200)
        for index, name in enumerate(names)
    ]  # fmt: skip
    note = thinned_note(f"{goal.leading.metric} over each parameter", shown, trials)
    return plot(
        "slices", title, alt.concat(*panels, columns=3), {"trials": rows}, note=note,
        summary=f"{goal.leading.metric} of {len(trials):,} trials over {', '.join(names)}.",
    )  # fmt: skip


def _slice_row(
    goal: Goal, trial: TrialState, names: Sequence[str], scales: Mapping[str, Scale]
) -> dict[str, Any]:
    row = {
        "trial": trial.number,
        "role": role_of(trial),
        "value": goal.leading_value(trial),
        "jitter": jitter(trial.number),
    }
    for index, name in enumerate(names):
        if name in trial.params:
            value = trial.params[name]
            is_choice = isinstance(scales[name], ChoiceScale)
            row[f"p{index}"] = setting(value) if is_choice else value
    return row


def judged(results: Results) -> tuple[list[TrialState], list[str]]:
    """Return the trials that have a value, and the names of the parameters they differ in."""
    trials = [t for t in searched(results.trials) if results.goal.leading_value(t) is not None]
    return trials, varying(trials)


def judged_scale(results: Results, trials: Sequence[TrialState]) -> NumberScale:
    """Return the axis of the leading objective over trials that have a value."""
    values = (results.goal.leading_value(trial) for trial in trials)
    return value_scale((v for v in values if v is not None), results.goal.leading.direction)


def scales_of(
    results: Results, trials: Sequence[TrialState], names: Sequence[str]
) -> dict[str, Scale]:
    """Return the parameters' axes."""
    known = distributions(results)
    return {
        name: parameter_scale([t.params[name] for t in trials if name in t.params], known[name])
        for name in names
    }


def log_mark(scale: Scale) -> str:
    """Return what a title says of a logarithmic axis."""
    return " (log)" if isinstance(scale, NumberScale) and scale.log else ""
