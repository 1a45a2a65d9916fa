"""What is said of a sweep's ensemble: to people in a line, to programs as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweep.history.state import TrialState
from sweep.log.kinds import Ensembled
from sweep.results.results import Results
from sweep.words.console import measure, short


def ensemble_record(results: Results) -> dict[str, Any] | None:
    """Return the ensemble as plain values for JSON; None where finalists were never combined."""
    found = results.state.ensembled
    if found is None:
        return None
    return {
        "members": {str(number): count for number, count in found.taken.items()},
        "single": None if found.single < 0 else found.single,
        "better": found.better,
        "validation": found.validation,
        "test": found.test,
        "difference": list(found.difference) or None,
        "reason": found.reason or None,
    }


def ensemble_line(results: Results) -> str | None:
    """Return what came of combining the finalists, in one line; None where nobody tried."""
    found = results.state.ensembled
    if found is None:
        return None
    if not found.taken:
        return f"Ensemble: none, since {found.reason.rstrip('.')}."
    if not found.better:
        return f"Ensemble: no other finalist makes trial {found.single} better on validation."
    line = f"Ensemble of trials {members(found)}: {_figures(results, found)}"
    if found.difference:
        low, high = found.difference
        line += f"; difference on test {short(low)} to {short(high)} (95 %)"
    return line


def alone_on_validation(single: TrialState) -> Mapping[str, float]:
    """Return the metrics that an ensemble's are compared with.

    An ensemble is of the last fold's networks: a mean over folds is not its like.
    """
    return single.folds[-1] if single.folds else single.best


def members(found: Ensembled) -> str:
    """Return the members, and how often each was taken where that is more than once."""
    each = found.taken.items()
    return ", ".join(f"{number}{f' (x{count})' if count > 1 else ''}" for number, count in each)


def _figures(results: Results, found: Ensembled) -> str:
    metric, single = results.goal.leading.metric, results.state.trials[found.single]
    where = "validation of the last fold" if single.folds else "validation"
    ours = _on_parts(results, metric, {where: found.validation, "test": found.test})
    theirs = _on_parts(results, metric, {where: alone_on_validation(single), "test": single.test})
    return f"{metric} {ours} (trial {single.number} alone: {theirs})"


def _on_parts(results: Results, metric: str, parts: Mapping[str, Mapping[str, float]]) -> str:
    unit = results.unit(metric)
    told = (
        f"{measure(values[metric], unit)} on {name}"
        for name, values in parts.items()
        if metric in values
    )
    return ", ".join(told)
