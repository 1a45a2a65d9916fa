"""What a sweep came to beside naive forecasts, in words: the same in every place."""

from __future__ import annotations

from collections.abc import Iterator

from sweep.history.baselines import TEST, VALIDATION, best_naive, skill_of, values_of
from sweep.history.state import TrialState
from sweep.log.kinds import Baselined
from sweep.results.results import Results
from sweep.words.console import measure, short
from trainers.config.objective import Objective


def trial_skill(results: Results, trial: TrialState, part: str = VALIDATION) -> float | None:
    """Return a trial's skill by the leading objective; None where it has none."""
    metrics = trial.best if part == VALIDATION else trial.test
    return skill_of(results.state.baselines, results.goal.leading, metrics, part)


def verdict(results: Results) -> str:
    """Return in a sentence whether the best trial beats the naive forecasts.

    Empty where there are none by the leading objective, or no trial is complete.
    """
    goal, best = results.goal, results.best()
    naive = best_naive(results.state.baselines, goal.leading)
    value = None if best is None else goal.leading_value(best)
    if best is None or naive is None or value is None:
        return ""
    unit = results.unit(goal.leading.metric)
    if not goal.leading.better(value, naive.value):
        return unbeaten(naive.name, goal.leading.metric, naive.value, unit)
    own = {part: trial_skill(results, best, part) for part in (VALIDATION, TEST)}
    skills = [f"{short(found)} on {part}" for part, found in own.items() if found is not None]
    return (
        f"Trial {best.number} beats the best naive forecast, {naive.name} "
        f"({goal.leading.metric} {measure(naive.value, unit)})"
        f"{': skill ' if skills else ''}{', '.join(skills)}."
    )


def unbeaten(name: str, metric: str, value: float, unit: str) -> str:
    """Return the sentence for a sweep that has not beaten the best naive forecast."""
    return f"No trial beats {name} ({metric} {measure(value, unit)})."


def naive_lines(results: Results) -> Iterator[str]:
    """Yield the naive forecasts by the leading objective, then what is to be known of them."""
    baselines = results.state.baselines
    if baselines is None:
        return
    leading = results.goal.leading
    yield from forecasts_told(baselines, leading, results.unit(leading.metric))


def forecasts_told(baselines: Baselined, objective: Objective, unit: str) -> Iterator[str]:
    """Yield the same of some naive forecasts and an objective."""
    values = values_of(baselines, objective.metric)
    tests = values_of(baselines, objective.metric, TEST)
    if values:
        told = ", ".join(
            f"{name} {measure(values[name], unit)}"
            + (f" ({measure(tests[name], unit)})" if name in tests else "")
            for name in sorted(values, key=lambda one: objective.cost(values[one]))
        )
        parts = "validation (test)" if tests else "validation"
        yield f"Naive forecasts, {objective.metric} on {parts}: {told}"
    else:
        yield f"Naive forecasts have no {objective.metric}"
    for name, note in baselines.notes.items():
        yield f"  {name}: {note}"
    for name, reason in baselines.left_out.items():
        yield f"  no {name}: {reason}"
