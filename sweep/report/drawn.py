"""Which trials a plot draws where they are too many, and how each one is drawn. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sweep.history.goal import ranked
from sweep.history.state import Standing, TrialState
from sweep.report.chart import Role
from sweep.results.results import Results

_ROLES = {
    Standing.COMPLETE: Role.COMPLETE,
    Standing.PRUNED: Role.PRUNED,
    Standing.PAUSED: Role.PRUNED,
    Standing.FAILED: Role.FAILED,
    Standing.RUNNING: Role.RUNNING,
    Standing.WAITING: Role.RUNNING,
}
MAX_DRAWN = 1_500


def role_of(trial: TrialState) -> Role:
    """Return how a trial is drawn."""
    return _ROLES[trial.state]


def jitter(number: int) -> float:
    """Return a number in [-1, 1] that is the same for the same trial and spreads trials evenly."""
    return round((number * 0.6180339887498949 % 1.0) * 2 - 1, 3)


def thinned(
    results: Results, trials: Sequence[TrialState], most: int = MAX_DRAWN
) -> list[TrialState]:
    """Return at most `most` trials, by number: the best ones, and others at even steps."""
    if len(trials) <= most:
        return list(trials)
    best = {trial.number for trial in ranked(trials, results.goal)[: most // 3]}
    others = [trial for trial in trials if trial.number not in best]
    step = math.ceil(len(others) / (most - len(best)))
    kept = best | {trial.number for trial in others[::step]}
    return [trial for trial in trials if trial.number in kept]


def thinned_note(note: str, shown: Sequence[TrialState], trials: Sequence[TrialState]) -> str:
    """Return the note, and how many trials are drawn where not all of them are."""
    if len(shown) == len(trials):
        return note
    return f"{note}; drawn are {len(shown):,} of {len(trials):,} trials, the best ones among them"
