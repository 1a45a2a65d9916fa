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
    """Return the finalists that the test part can be asked about; none where there is none."""
    return [] if prepared.data.test is None else candidates(prepared, journal)


def to_combine(prepared: Prepared, journal: Journal) -> list[int]:
    """Return the finalists of which an ensemble is yet to be chosen; none where that is done."""
    found = candidates(prepared, journal) if prepared.config.finalists.ensemble else []
    before = journal.state.ensembled
    if len(found) < 2 or (before is not None and list(before.members) == [str(n) for n in found]):
        return []
    return found


def candidates(prepared: Prepared, journal: Journal) -> list[int]:
    """Return the best trials by validation whose weights are there, as many as finalists."""
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
