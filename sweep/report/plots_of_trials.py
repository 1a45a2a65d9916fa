"""A sweep's plots over its trials: history and learning curves. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from sweep.history.goal import ranked, searched
from sweep.history.state import Standing, TrialState
from sweep.report.chart import Axis, Dot, Line, Panel, Plot, Role
from sweep.report.marks import ROLE_NAMES, nothing, role_of, thinned, thinned_note
from sweep.report.page import trial_facts
from sweep.report.scales import NumberScale, epoch_scale, value_scale
from sweep.results.results import Results

_TOP = 5
_MAX_LINE_POINTS = 120


def history(results: Results) -> Plot:
    """Return every trial's value in the order of asking, and the best value so far."""
    title = "Optimization history"
    trials = [t for t in searched(results.trials) if t.epoch > 0 or t.ended]
    shown = thinned(results, trials)
    if not trials:
        return nothing("history", title, "no trial has reported yet")
    panels = [
        _history_panel(results, trials, shown, i) for i in range(len(results.goal.objectives))
    ]
    if results.several_objectives:
        panels.append(_front_panel(results, shown))
    roles = dict.fromkeys(role_of(trial) for trial in shown)
    legend = [(role, ROLE_NAMES[role]) for role in ROLE_NAMES if role in roles]
    note = "a pruned trial's value is the best that it had reached; values far off lie at the edge"
    return Plot(
        "history", title, tuple(panels), (*legend, (Role.BEST, "best so far")),
        thinned_note(note, shown, trials), partial(trial_facts, results),
    )  # fmt: skip


def learning_curves(results: Results) -> Plot:
    """Return the leading metric on validation by epoch: the best trials over all others."""
    title, metric = "Learning curves", results.goal.leading.metric
    trials = [t for t in searched(results.trials) if any(map(math.isfinite, t.curve))]
    if not trials:
        return nothing("learning_curves", title, "no epoch is reported yet")
    best = ranked(trials, results.goal)[:_TOP]
    shown = thinned(results, trials)
    y = value_scale(value for trial in trials for value in trial.curve)
    x = epoch_scale(len(trial.curve) for trial in trials)
    first = {trial.number for trial in best}
    quiet = [_curve(t, x, y, Role.QUIET, faint=True) for t in shown if t.number not in first]
    shades = [1 - i / max(1, len(best)) for i in range(len(best))]
    strong = [
        _curve(trial, x, y, Role.COMPLETE, shade)._replace(trial=trial.number)
        for trial, shade in zip(best, shades, strict=True)
    ]
    panel = Panel(
        Axis("epoch", x.ticks), Axis(f"validation {metric}", y.ticks),
        lines=(*quiet, *reversed(strong)), height=340,
    )  # fmt: skip
    names = ", ".join(str(trial.number) for trial in best) or "none complete"
    note = f"strong lines: the best complete trials ({names}; the darker, the better)"
    return Plot(
        "learning_curves", title, (panel,), (), thinned_note(note, shown, trials),
        partial(trial_facts, results),
    )  # fmt: skip


def _history_panel(
    results: Results, trials: Sequence[TrialState], shown: Sequence[TrialState], index: int
) -> Panel:
    objective = results.goal.objectives[index]
    values = {trial.number: results.goal.values(trial)[index] for trial in trials}
    y = value_scale((v for v in values.values() if v is not None), objective.direction)
    x = NumberScale(0, max(1, trials[-1].number), whole=True)
    worst = 1.0 if objective.sign > 0 else 0.0
    dots = tuple(
        Dot(
            x.at(trial.number), worst if value is None else y.at(value), role_of(trial),
            trial.number,
        )
        for trial in shown
        if (value := values[trial.number]) is not None or trial.state is Standing.FAILED
    )  # fmt: skip
    steps: list[tuple[float, float]] = []
    best: float | None = None
    for trial in trials:
        value = values[trial.number]
        if value is None or not results.goal.ranks(trial) or not objective.better(value, best):
            continue
        if best is not None:
            steps.append((x.at(trial.number), y.at(best)))
        steps.append((x.at(trial.number), y.at(value)))
        best = value
    if best is not None:
        steps.append((1.0, y.at(best)))
    return Panel(
        Axis("trial", x.ticks), Axis(objective.metric, y.ticks), dots=dots,
        lines=(Line(tuple(steps), Role.BEST),) if steps else (),
    )  # fmt: skip


def _front_panel(results: Results, shown: Sequence[TrialState]) -> Panel:
    """Return the first two objectives against each other, the Pareto front as a line."""
    goal, front = results.goal, results.front()
    pairs = {
        trial.number: (one, other)
        for trial in shown
        for one, other, *_ in [goal.values(trial)]
        if one is not None and other is not None
    }
    x, y = (value_scale((pair[i] for pair in pairs.values()), whole_range=True) for i in (0, 1))
    places = {n: (x.at(one), y.at(other)) for n, (one, other) in pairs.items()}
    dots = tuple(Dot(*places[t.number], role_of(t), t.number) for t in shown if t.number in places)
    line = Line(tuple(sorted(places[n] for n in front if n in places)), Role.BEST)
    first, second = goal.objectives[:2]
    return Panel(
        Axis(first.metric, x.ticks), Axis(second.metric, y.ticks), "Pareto front", dots,
        (line,) if len(line.points) > 1 else (), height=380,
    )  # fmt: skip


def _curve(
    trial: TrialState, x: NumberScale, y: NumberScale, role: Role,
    shade: float | None = None, *, faint: bool = False,
) -> Line:  # fmt: skip
    step = math.ceil(len(trial.curve) / _MAX_LINE_POINTS)
    last = len(trial.curve) - 1
    points = tuple(
        (x.at(index + 1), y.at(value))
        for index, value in enumerate(trial.curve)
        if math.isfinite(value) and (index % step == 0 or index == last)
    )
    return Line(points, role, trial.number, shade, faint)
