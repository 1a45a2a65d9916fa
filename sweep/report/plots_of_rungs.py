"""What pruning decided: a plot of each rung's trials. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from sweep.history.goal import searched
from sweep.history.state import Standing, TrialState
from sweep.report.chart import Axis, Bar, Dot, Panel, Plot, Role
from sweep.report.marks import jitter, nothing, thinned
from sweep.report.page import trial_facts
from sweep.report.scales import NumberScale, Tick, value_scale
from sweep.results.results import Results


def rungs(results: Results) -> Plot:
    """Return what pruning decided at each rung: how many went on, and at which values."""
    title, metric = "Rungs", results.goal.leading.metric
    trials = searched(results.trials)
    epochs = rung_epochs(trials)
    if not epochs:
        rule = results.config.search.pruning.rule
        return nothing("rungs", title, f"no trial was judged at a rung (pruning rule {rule})")
    entered = {epoch: _entered(results, trials, epoch) for epoch in epochs}
    total = max(map(len, entered.values()))
    shown = {trial.number for trial in thinned(results, trials)}
    counts, dots, sign = [], [], results.state.sign
    reached = (sign * value for found in entered.values() for _, value in found)
    y = value_scale(reached, results.goal.leading.direction)
    ticks = []
    for place, epoch in enumerate(epochs):
        x, half = (place + 0.5) / len(epochs), 0.35 / len(epochs)
        ticks.append(Tick(x, str(epoch)))
        went_on = sum(trial.cleared >= epoch for trial, _ in entered[epoch])
        share, whole = went_on / total, len(entered[epoch]) / total
        counts += [
            Bar(x - half, 0.0, x + half, share, Role.COMPLETE),
            Bar(x - half, share, x + half, whole, Role.PRUNED),
        ]
        for trial, value in entered[epoch]:
            if trial.number not in shown:
                continue
            role = Role.COMPLETE if trial.cleared >= epoch else Role.PRUNED
            dots.append(
                Dot(x + jitter(trial.number) * half, y.at(sign * value), role, trial.number)
            )
    if len(ticks) > 12:
        ticks = ticks[:: math.ceil(len(ticks) / 12)]
    axis = Axis("rung (epoch)", tuple(ticks))
    number = NumberScale(0, total, whole=True)
    panels = (
        Panel(axis, Axis("trials judged", number.ticks), bars=tuple(counts), width=430),
        Panel(axis, Axis(f"best {metric} so far", y.ticks), dots=tuple(dots), width=430),
    )
    legend = ((Role.COMPLETE, "went on"), (Role.PRUNED, "stopped or paused"))
    return Plot("rungs", title, panels, legend, "", partial(trial_facts, results))


def rung_epochs(trials: Sequence[TrialState]) -> list[int]:
    """Return the epochs at which a rung decided something."""
    stopped = {t.epoch for t in trials if t.state in (Standing.PRUNED, Standing.PAUSED)}
    return sorted((stopped | {t.cleared for t in trials}) - {0})


def _entered(
    results: Results, trials: Sequence[TrialState], epoch: int
) -> list[tuple[TrialState, float]]:
    """Return the trials that were judged at a rung, with their best value up to there."""
    judged = [
        trial
        for trial in trials
        if trial.cleared >= epoch
        or (trial.epoch == epoch and trial.state in (Standing.PRUNED, Standing.PAUSED))
    ]
    values = ((trial, trial.best_at(epoch, results.state.sign)) for trial in judged)
    return [(trial, value) for trial, value in values if math.isfinite(value)]
