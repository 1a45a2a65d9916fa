"""A sweep's plots over its parameters: importance, slices, parallel coordinates. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sweep.history.goal import searched
from sweep.history.state import TrialState
from sweep.report.chart import Axis, Bar, Dot, Line, Panel, Plot, Pole, Role
from sweep.report.marks import jitter, role_of, thinned, thinned_note
from sweep.report.page import trial_facts
from sweep.report.scales import ChoiceScale, NumberScale, Scale, Tick, parameter_scale, value_scale
from sweep.results.columns import varying
from sweep.results.optuna_trials import distributions, importances
from sweep.results.results import Results

_MAX_POLES = 10
_MAX_STRONG = 40
_MAX_SLICES = 12
_MAX_SLICE_DOTS = 4_000


def importance(results: Results) -> Plot:
    """Return how much each parameter matters for the leading objective, largest first."""
    title, metric = "Parameter importance", results.goal.leading.metric
    shares = importances(results)
    if not shares:
        note = "Nothing to draw: importance needs several complete trials with different values."
        return Plot("importance", title, note=note)
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    largest, slot = ordered[0][1], 1 / len(ordered)
    bars, ticks = [], []
    for row, (name, share) in enumerate(ordered):
        middle = 1 - (row + 0.5) * slot
        half = min(0.35 * slot, 0.18)
        length = 0.92 * share / largest
        text = f"{share:.0%}"
        bars.append(Bar(0.0, middle - half, length, middle + half, Role.COMPLETE, text))
        ticks.append(Tick(middle, name))
    panel = Panel(
        y=Axis(ticks=tuple(ticks)), bars=tuple(bars), height=80 + 30 * len(ordered), left=190
    )
    note = (
        f"share of each parameter in {metric}, by Optuna's PED-ANOVA over the complete trials: "
        "which values separate the best tenth from the rest"
    )
    return Plot("importance", title, (panel,), (), note)


def slices(results: Results) -> Plot:
    """Return one panel a parameter: the leading objective over its values."""
    title, goal = "Slices", results.goal
    trials, names = _judged(results)
    if not names:
        return Plot("slices", title, note="Nothing to draw: no parameter differs between trials.")
    shown = thinned(results, trials, _MAX_SLICE_DOTS // min(len(names), _MAX_SLICES))
    scales = _scales(results, trials, names)
    values = {trial.number: goal.leading_value(trial) for trial in trials}
    y = value_scale((v for v in values.values() if v is not None), goal.leading.direction)
    panels = []
    for name in names[:_MAX_SLICES]:
        dots = tuple(
            Dot(_spread(scales[name], t, name), y.at(values[t.number]), role_of(t), t.number)
            for t in shown
            if name in t.params
        )
        axis = Axis(name + _log(scales[name]), scales[name].ticks)
        panels.append(
            Panel(axis, Axis(goal.leading.metric, y.ticks), dots=dots, width=340, height=250)
        )
    roles = dict.fromkeys(role_of(trial) for trial in shown)
    legend = tuple((role, str(role)) for role in (Role.COMPLETE, Role.PRUNED) if role in roles)
    note = thinned_note(f"{goal.leading.metric} over each parameter", shown, trials)
    return Plot("slices", title, tuple(panels), legend, note, partial(trial_facts, results))


def parallel(results: Results) -> Plot:
    """Return one line a trial through its parameters to the leading objective."""
    title, goal = "Parallel coordinates", results.goal
    trials, names = _judged(results)
    if not names:
        note = "Nothing to draw: no parameter differs between trials."
        return Plot("parallel", title, note=note)
    names = names[:_MAX_POLES]
    shown = thinned(results, trials)
    scales = _scales(results, trials, names)
    values = {trial.number: goal.leading_value(trial) for trial in trials}
    y = value_scale((v for v in values.values() if v is not None), goal.leading.direction)
    places = [index / len(names) for index in range(len(names) + 1)]
    lines = []
    order = sorted(shown, key=lambda trial: (goal.leading_cost(trial), trial.number))
    for place, trial in enumerate(order):
        end = y.at(values[trial.number])
        points = [
            (x, _spread(scales[name], trial, name))
            for x, name in zip(places, names, strict=False)
            if name in trial.params
        ]
        shade = round(1 - place / max(1, len(order) - 1), 2)
        faint = role_of(trial) is not Role.COMPLETE or place > max(_MAX_STRONG, len(order) // 10)
        lines.append(Line((*points, (1.0, end)), role_of(trial), trial.number, shade, faint))
    lines.sort(key=lambda line: (not line.faint, line.shade))  # the best ones on top
    poles = [
        Pole(x, name + _log(scales[name]), scales[name].ticks)
        for x, name in zip(places, names, strict=False)
    ]
    poles.append(Pole(1.0, goal.leading.metric, y.ticks))
    panel = Panel(lines=tuple(lines), poles=tuple(poles), width=1040, height=400)
    note = (
        "the darker, the better; thin lines: the rest, and trials that did not complete. Drag "
        "along an axis to keep the trials that cross it there, click it to let go"
    )
    return Plot("parallel", title, (panel,), (), note, partial(trial_facts, results))


def _judged(results: Results) -> tuple[list[TrialState], list[str]]:
    """Return the trials that have a value, and the names of the parameters they differ in."""
    trials = [t for t in searched(results.trials) if results.goal.leading_value(t) is not None]
    return trials, varying(trials)


def _scales(
    results: Results, trials: Sequence[TrialState], names: Sequence[str]
) -> dict[str, Scale]:
    known = distributions(results)
    return {
        name: parameter_scale([t.params[name] for t in trials if name in t.params], known[name])
        for name in names
    }


def _spread(scale: Scale, trial: TrialState, name: str) -> float:
    """Return the value's place; choices are spread a little, or their lines would be one."""
    at = scale.at(trial.params[name])
    if isinstance(scale, ChoiceScale):
        at += 0.28 * jitter(trial.number) / len(scale.choices)
    return at


def _log(scale: Any) -> str:
    return " (log)" if isinstance(scale, NumberScale) and scale.log else ""
