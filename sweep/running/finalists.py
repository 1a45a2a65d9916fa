"""Which trials are the best ones, and which of them are evaluated on the test part."""

from __future__ import annotations

from sweep.history.goal import Goal, ranked
from sweep.history.state import Standing, SweepState
from sweep.running.journal import Journal
from sweep.running.preparation import Prepared


def best_numbers(state: SweepState, goal: Goal, count: int) -> list[int]:
    """Return the best `count` trials, in order."""
    return [trial.number for trial in ranked(state.trials.values(), goal)[:count]]


def finalists(prepared: Prepared, journal: Journal) -> list[int]:
    """Return the finalists whose weights are there; none where the data have no test part."""
    if prepared.data.test is None:
        return []
    best = best_numbers(journal.state, prepared.goal, prepared.config.finalists.count)
    return [number for number in best if journal.has_checkpoint(number)]


def with_replicates(journal: Journal, chosen: list[int]) -> list[int]:
    """Return finalists and those that repeat them on other seeds, as far as they are complete."""
    repeating = [
        trial.number
        for trial in journal.state.trials.values()
        if trial.source == "replicate"
        and trial.of in chosen
        and trial.state is Standing.COMPLETE
        and journal.has_checkpoint(trial.number)
    ]
    return [*chosen, *repeating]
