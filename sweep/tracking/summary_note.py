"""The note on a sweep's page in MLflow: what was tried, what came out, what to do next. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from sweep.history.goal import ranked
from sweep.history.ledger import Ledger
from sweep.history.state import Standing, TrialState
from sweep.results.ensemble import ensemble_line
from sweep.results.naive import verdict
from sweep.results.results import Results
from sweep.words.console import duration, repeated, setting, settings, short

_EDGE = 0.02  # of a range: closer to its end, the best value may lie outside
_MANY_DIVERGED = 0.2
_FEW_BUSY = 0.8
_MAX_CHARACTERS = 7_500  # MLflow takes 8,000
_STATES = ("complete", "pruned", "failed", "running", "paused")


def note(results: Results, ledger: Ledger, importances: Mapping[str, float]) -> str:
    """Return the note as Markdown."""
    paragraphs = [
        _tried(results),
        *_best(results),
        *filter(None, [verdict(results)]),
        *_lists("Came out", _counts(results, ledger)),
        *_lists("Next", _advice(results, ledger)),
        *_importance(importances),
        _where(results),
    ]
    return "\n\n".join(paragraphs)[:_MAX_CHARACTERS]


def _tried(results: Results) -> str:
    config, opened, closed = results.config, results.state.first_opened, results.state.closed
    data = None if opened is None else opened.data
    sizes = {} if data is None else data.parts
    parts = ", ".join(f"{name} {facts.sequences:,}" for name, facts in sizes.items())
    about = f" ({data.task}; sequences: {parts})" if data and parts else ""
    space = config.space.base or "its own space"
    pruning = config.search.pruning.rule
    goal = ", ".join(f"{o.direction} {o.metric}" for o in results.goal.objectives)
    ended = "interrupted" if closed is None else closed.reason
    state = "running" if results.is_running else ended
    asked = sum(trial.of is None for trial in results.trials)  # audits and replicates repeat
    return (
        f"**{config.name}** ({state}): {asked} of {config.budget.trials} trials of "
        f"`{space}` on data `{data.name if data else config.data.source}`{about}. Sampler "
        f"`{config.search.sampler}`, pruning `{pruning}`, seed {config.search.seed}; goal: {goal}."
    )


def _best(results: Results) -> Iterator[str]:
    best = results.best()
    if best is None:
        yield "No trial is complete and allowed yet."
        return
    metric = results.goal.leading.metric
    value = results.goal.leading_value(best)
    test = f", **{short(best.test[metric])}** on test" if metric in best.test else ""
    judged = results.diagnosis(best)
    curves = f"; its curves say {judged}" if judged else ""
    yield (
        f"Best: **trial {best.number}**, {metric} **{short(value)}** on validation{test} "
        f"(epoch {best.best_epoch} of {best.epoch}{curves}).\n\n`{settings(best.params)}`"
    )
    if results.several_objectives:
        front = sorted(results.front())
        yield f"Pareto front: trials {', '.join(map(str, front))}."


def _counts(results: Results, ledger: Ledger) -> Iterator[str]:
    states = results.standings()
    diverged = sum(trial.diverged for trial in results.trials)
    words = [f"{states[state]} {state}" for state in _STATES if states[state]]
    suffix = f" (of the failed, {diverged} diverged)" if diverged else ""
    yield f"trials: {', '.join(words) or 'none yet'}{suffix}"
    if repeats := repeated(results.repeats()):
        yield f"repeats: {repeats}"
    tested = [t for t in ranked(results.trials, results.goal) if t.test]
    metric = results.goal.leading.metric
    if tested:
        values = ", ".join(f"trial {t.number} {short(t.test.get(metric))}" for t in tested[:5])
        yield f"finalists' {metric} on test: {values}"
    if together := ensemble_line(results):
        yield together[0].lower() + together[1:]
    shares = {name: s for name, s in ledger.entries().items() if s >= 0.005 * ledger.available}
    if ledger.available > 0:
        spent = ", ".join(f"{name} {s / ledger.available:.0%}" for name, s in shares.items())
        yield f"{duration(ledger.available)} of workers' time: {spent}"


def _advice(results: Results, ledger: Ledger) -> Iterator[str]:
    best = results.best()
    diverged = sum(trial.diverged for trial in results.trials)
    if diverged > _MANY_DIVERGED * max(len(results.trials), 1):
        yield "many trials diverged: lower the upper end of `learning_rate`, or set `clip_norm`"
    if best is not None:
        yield from _at_the_edge(results, best)
        yield from _longer_or_smaller(results, best)
    if ledger.lost > 0.05 * ledger.busy:
        yield "much was trained again after deaths: lower `run.checkpoint_seconds`"
    elif not results.is_running and ledger.busy and ledger.busy_fraction < _FEW_BUSY:
        yield "workers were often idle: fewer workers would have done, or more trials"
    name = results.config.name
    if results.is_running or results.state.closed is None:
        yield f"it goes on: `rnn-sweep status {name}`"
    else:
        trials = 2 * results.config.budget.trials
        yield f"more of the same: the command again with `--trials {trials}`"


def _at_the_edge(results: Results, best: TrialState) -> Iterator[str]:
    opened = results.state.first_opened
    space = None if opened is None else opened.space
    for name, dimension in (space.parameters if space else {}).items():
        value = best.params.get(name)
        side = _edge(value, dimension)
        if side:
            yield (
                f"the best trial's `{name}` = {setting(value)} lies at the {side} end of its "
                "range: widen it"
            )


def _edge(value: Any, dimension: Mapping[str, Any]) -> str | None:
    low, high = dimension.get("low"), dimension.get("high")
    if low is None or high is None or not low < high or not isinstance(value, int | float):
        return None
    low, high, at = float(low), float(high), float(value)
    if dimension.get("log"):
        low, high, at = math.log(low), math.log(high), math.log(at)
    share = (at - low) / (high - low)
    return "lower" if share <= _EDGE else "upper" if share >= 1 - _EDGE else None


def _longer_or_smaller(results: Results, best: TrialState) -> Iterator[str]:
    epochs = best.config.get("max_epochs") or best.max_epochs
    if epochs and best.best_epoch == epochs:
        yield f"the best trial was still improving at its last epoch: raise `max_epochs` ({epochs})"
    judged = results.diagnosis(best)
    if judged == "overfitting":
        yield "the best trial overfits: try more dropout, weight decay or a smaller network"
    elif judged == "underfitting":
        yield "the best trial underfits: try a larger network, a higher learning rate, more epochs"


def _importance(importances: Mapping[str, float]) -> Iterator[str]:
    if len(set(importances.values())) > 1:  # all alike: too few trials to tell
        shares = ", ".join(f"`{n}` {share:.0%}" for n, share in list(importances.items())[:5])
        yield f"What mattered (share of the variance among the best): {shares}."


def _where(results: Results) -> str:
    name = results.config.name
    complete = sum(trial.state is Standing.COMPLETE for trial in results.trials)
    compare = (
        f"choose `{name}: trials, best first` under Views, select runs and press Compare"
        if complete > 1
        else ""
    )
    pages = "Artifacts: `report.html` (all of it on one page), `top.html` (best trials), `plots/` "
    pages += "(history, importance, parallel coordinates, slices, learning curves, rungs), "
    pages += "`sweep.yaml`, `environment.json`."
    command = f"Here: {compare}. In a terminal: " if compare else "In a terminal: "
    return f"{pages} {command}`rnn-sweep results {name}`, `rnn-sweep best {name}`."


def _lists(title: str, lines: Iterator[str]) -> Iterator[str]:
    items = [f"- {line}" for line in lines]
    if items:
        yield "\n".join([f"{title}:", "", *items])
