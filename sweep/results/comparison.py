"""Two sweeps, or two trials, side by side: what differs in settings and in outcome."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.errors import LogError, UserError
from sweep.history.curves import LossCurves
from sweep.history.goal import searched
from sweep.history.state import Standing, TrialState
from sweep.log.kinds import Asked
from sweep.log.places import has_log, open_log
from sweep.results.column import Column
from sweep.results.columns import shown_in
from sweep.results.results import Results, find_sweep, open_results
from sweep.words.console import duration, setting
from sweep.words.redaction import masked
from trainers.config.settings import filled_in

_TRIAL = re.compile(r"^(?P<sweep>.+)[/:](?P<number>\d+)$")
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 40


@dataclass(frozen=True)
class Row:
    """One thing of both sides; `difference` is second minus first, where that makes sense."""

    name: str
    first: str
    second: str
    difference: str = ""


@dataclass(frozen=True)
class Comparison:
    """Everything that `rnn-sweep compare` shows, in titled parts."""

    first: str
    second: str
    parts: tuple[tuple[str, tuple[Row, ...]], ...]


@dataclass(frozen=True)
class Side:
    """One of the two: a sweep, or a trial of it."""

    label: str
    results: Results
    trial: TrialState | None


def compare(first: str, second: str, directory: Path) -> Comparison:
    """Compare two sweeps, or two trials.

    Args:
        first: A sweep's name or folder, or a trial as SWEEP/NUMBER or SWEEP:NUMBER.
        second: The same kind of thing.

    Raises:
        UserError: one is a sweep and the other a trial, or the trial is not there.
        LogError: there is no such sweep.
    """
    one, other = find_side(first, directory), find_side(second, directory)
    if (one.trial is None) != (other.trial is None):
        raise UserError(
            f"both must be sweeps or both trials, but got {first!r} and {second!r}; name a trial "
            "as SWEEP/NUMBER."
        )
    if one.trial is None or other.trial is None:
        parts = _sweep_parts(one.results, other.results)
    else:
        parts = _trial_parts((one.results, one.trial), (other.results, other.trial))
    return Comparison(one.label, other.label, tuple((t, tuple(rows)) for t, rows in parts if rows))


def find_side(spec: str, directory: Path) -> Side:
    """Return what a name stands for; a sweep goes before a trial."""
    found = _TRIAL.match(spec)
    is_sweep = any(has_log(folder) for folder in (directory / spec, Path(spec)))
    if is_sweep or found is None:
        results = open_results(find_sweep(spec, directory))
        return Side(results.config.name, results, None)
    results = open_results(find_sweep(found["sweep"], directory))
    number = int(found["number"])
    if number not in results.state.trials:
        raise LogError(
            f"a trial of {results.config.name} must be one of 0 … {len(results.trials) - 1}, but "
            f"got {number}."
        )
    return Side(f"{results.config.name}/{number}", results, results.state.trials[number])


def sparklines(*curves: Sequence[float], width: int = _WIDTH) -> list[str]:
    """Return curves as bars of one scale, shortened to `width`; a gap where a value is not finite.

    All of them share the time axis too: a curve of half as many epochs is half as long.
    """
    known = [value for curve in curves for value in curve if math.isfinite(value)]
    longest = max(map(len, curves), default=0)
    if not known:
        return ["" for _ in curves]
    low, span = min(known), max(known) - min(known)
    columns = min(width, longest)
    return [
        "".join(_bar(curve, column, longest / columns, low, span) for column in range(columns))
        for curve in curves
    ]


def _bar(curve: Sequence[float], column: int, step: float, low: float, span: float) -> str:
    place = round((column + 1) * step) - 1
    if place >= len(curve):
        return ""
    value = curve[place]
    if not math.isfinite(value):
        return " "
    share = (value - low) / span if span > 0 else 0.5
    return _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]


def _sweep_parts(one: Results, other: Results) -> Iterator[tuple[str, list[Row]]]:
    files = (masked(r.config.model_dump(mode="json")) for r in (one, other))
    yield "settings that differ", _differing(*(dict(_leaves(values)) for values in files))
    yield "outcome", list(_outcome_rows(one, other))
    best = one.best(), other.best()
    if best[0] is None or best[1] is None:
        return
    sides = ((one, best[0]), (other, best[1]))
    yield "best trial", list(_rows(*sides))
    yield "its parameters that differ", _differing(best[0].params, best[1].params)
    yield "its metrics", list(_rows(*sides, metrics=True))
    yield (
        "best so far, by trial",
        _curve_rows(_best_so_far(one), _best_so_far(other), "best so far"),
    )


def _trial_parts(
    one: tuple[Results, TrialState], other: tuple[Results, TrialState]
) -> Iterator[tuple[str, list[Row]]]:
    configs = (trial_config(*side) for side in (one, other))
    yield "settings that differ", _differing(*configs)
    yield "outcome", list(_rows(one, other))
    yield "metrics", list(_rows(one, other, metrics=True))
    metric = one[0].goal.leading.metric
    rows = []
    if metric == other[0].goal.leading.metric:
        rows += _curve_rows(one[1].curve, other[1].curve, f"validation {metric}")
    losses = [results.curves.get(trial.number, LossCurves()) for results, trial in (one, other)]
    rows += _curve_rows(losses[0].validation, losses[1].validation, "validation loss")
    rows += _curve_rows(losses[0].train, losses[1].train, "training loss")
    yield "curves, by epoch", rows


def trial_config(results: Results, trial: TrialState) -> dict[str, Any]:
    """Return all training settings of a trial, from its `asked` event."""
    log = open_log(results.folder)
    try:
        events = (event.what for event in log.read() if event.trial == trial.number)
        asked = next(what for what in events if isinstance(what, Asked))
        settings = {**asked.config, **trial.params, "seed": trial.seed}
        # The drawn options, and the data, say the same as what a sweep fills in.
        return {name: value for name, value in settings.items() if name not in filled_in()}
    finally:
        log.close()


def _outcome_rows(one: Results, other: Results) -> Iterator[Row]:
    sides = [searched(results.trials) for results in (one, other)]
    for state in Standing:
        counts = [sum(trial.state is state for trial in trials) for trials in sides]
        if any(counts):
            first, second = counts
            yield Row(f"{state} trials", str(first), str(second), _minus(second, first))
    trained = one.state.busy_seconds, other.state.busy_seconds
    yield Row("trained", duration(trained[0]), duration(trained[1]), _ratio(*trained))


def _rows(
    one: tuple[Results, TrialState], other: tuple[Results, TrialState], *, metrics: bool = False
) -> Iterator[Row]:
    """Yield a row for each column that says something of one of two trials."""
    columns = {c.name: c for side in (other, one) for c in shown_in("comparison", side[0])}
    for name, column in columns.items():
        cells = column.cell(*one), column.cell(*other)
        if ("." in name) is metrics and cells != ("-", "-"):
            values = column.value(*one), column.value(*other)
            yield Row(column.title(), *cells, _difference(column, *values))


def _difference(column: Column, first: Any, second: Any) -> str:
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (first, second))
    if not numbers or column.name == "number":
        return ""
    return _ratio(first, second) if column.unit == "s" else _minus(second, first)


def _curve_rows(one: Sequence[float], other: Sequence[float], name: str) -> list[Row]:
    first, second = sparklines(one, other)
    return [Row(name, first, second)] if first.strip() or second.strip() else []


def _best_so_far(results: Results) -> list[float]:
    goal, best, curve = results.goal, math.inf, []
    for trial in searched(results.trials):
        if goal.ranks(trial):
            best = min(best, goal.leading_cost(trial))
        curve.append(goal.leading.sign * best)
    return curve


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Row]:
    return [
        Row(name, *(setting(side[name]) if name in side else "-" for side in (one, other)))
        for name in dict.fromkeys([*one, *other])
        if repr(one.get(name, "absent")) != repr(other.get(name, "absent"))
    ]


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _minus(second: float, first: float) -> str:
    whole = isinstance(first, int) and isinstance(second, int)
    difference = f"{second - first:+,}" if whole else f"{second - first:+.4g}"
    return difference if second != first else ""


def _ratio(first: float, second: float) -> str:
    return f"× {second / first:.3g}" if first > 0 else ""
