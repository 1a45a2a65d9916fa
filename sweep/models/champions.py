"""Which finalists MLflow shall hold as models, and which of them is the best: pure.

A finalist is a complete trial that was evaluated on the test part; where the data have none, one of
the best by validation. Replicates of a finalist are not logged: they exist to measure its spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sweep.config.sweep_config import SweepConfig
from sweep.history.goal import Goal, ranked
from sweep.history.state import SweepState, TrialState
from trainers.config.objective import Objective

_FINISHED = ("finished", "budget")


@dataclass(frozen=True)
class Finalist:
    """A trial whose model MLflow shall hold.

    Attributes:
        uid: The trial's unique id; its run and its model are found again by it.
        digest: Of the data.
        objective: What ranks the sweep's trials.
        best: Validation metrics of `best_epoch`.
        test: Metrics on the test part; empty where there is none.
    """

    uid: str
    sweep: str
    number: int
    checkpoint: str
    best_epoch: int
    digest: str
    objective: Objective
    best: Mapping[str, float] = field(default_factory=dict)
    test: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The trial's name, as its run has it."""
        return f"{self.sweep}-{self.number}"


def finalists_of(state: SweepState, config: SweepConfig) -> list[Finalist]:
    """Return a sweep's finalists, best validation first; none while it is not finished."""
    if state.open or state.closed is None or state.closed.reason not in _FINISHED:
        return []
    goal = Goal.of(config, state)
    complete = [t for t in ranked(state.trials.values(), goal) if t.of is None and t.checkpoint]
    tested = [trial for trial in complete if trial.test]
    chosen = tested or complete[: config.finalists.count]
    return [finalist_of(trial, state, config, goal) for trial in chosen]


def finalist_of(
    trial: TrialState, state: SweepState, config: SweepConfig, goal: Goal | None = None
) -> Finalist:
    """Return what is to be said of one trial's model."""
    goal = goal or Goal.of(config, state)
    return Finalist(
        uid=trial.uid,
        sweep=config.name,
        number=trial.number,
        checkpoint=trial.checkpoint or "",
        best_epoch=trial.best_epoch,
        digest="" if state.first_opened is None else state.first_opened.data.digest,
        objective=goal.leading,
        best=dict(trial.best),
        test=dict(trial.test),
    )


def contest(challenger: Finalist, champion: Mapping[str, str] | None) -> tuple[bool, str]:
    """Decide whether a model becomes the champion.

    Args:
        challenger: The finalist.
        champion: Tags of the present champion's version (see `version_tags`); None for none.

    Returns:
        Whether it does, and why, in words.
    """
    metric = challenger.objective.metric
    value = challenger.test.get(metric)
    if champion is None:
        return True, "there was no champion"
    if champion.get("sweep.trial_uid") == challenger.uid:
        return True, "it is the champion already"
    if value is None:
        return False, f"it has no test {metric} to compare, so the champion stays"
    if champion.get("sweep.data_digest") != challenger.digest:
        return False, "the two were tested on different data, so the champion stays"
    try:
        present = float(champion[f"sweep.test.{metric}"])
    except (KeyError, ValueError):
        return False, f"the champion has no test {metric} on record, so it stays"
    better = challenger.objective.better(value, present)
    compared = f"test {metric} {value:.6g} against the champion's {present:.6g}"
    return better, compared


def version_tags(finalist: Finalist) -> dict[str, str]:
    """Return what a model and its version in the registry are tagged with."""
    tags = {
        "sweep.name": finalist.sweep,
        "sweep.trial": str(finalist.number),
        "sweep.trial_uid": finalist.uid,
        "sweep.data_digest": finalist.digest,
        "sweep.metric": finalist.objective.metric,
        "sweep.direction": finalist.objective.direction,
    }
    # `repr` keeps every digit: equal models must compare equal.
    for part, metrics in (("best", finalist.best), ("test", finalist.test)):
        for name, value in metrics.items():
            if "/" not in name or name == finalist.objective.metric:  # steps and classes are many
                tags[f"sweep.{part}.{name}"] = repr(value)
    return tags
