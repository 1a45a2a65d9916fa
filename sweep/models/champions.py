"""Which finalists MLflow shall hold as models, and which of them is the best: pure.

The ensemble of finalists is one of them where it is better by validation than the best alone. A
finalist is a complete trial that was evaluated on the test part; where the data have none, one of
the best by validation. Replicates of a finalist are not logged: they exist to measure its spread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
        members: Of an ensemble: each member's checkpoint, and how often it counts. All else is
            then the ensemble's, but for `number`, the best finalist alone, and `best_epoch`, 0.
        lead: The trial in whose run, or whose sweep's run for an ensemble, the model is linked;
            empty for `uid`.
        refit: What a refitted model was made of, as a short digest; empty for any other.
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
    members: tuple[tuple[str, int], ...] = ()
    lead: str = ""
    refit: str = ""

    @property
    def name(self) -> str:
        """The trial's name, as its run has it; or the ensemble's, or the refitted model's."""
        if self.refit:
            return f"{self.sweep}-{self.number}-refit-{self.refit}"
        return f"{self.sweep}-{'ensemble' if self.members else self.number}"


def finalists_of(state: SweepState, config: SweepConfig) -> list[Finalist]:
    """Return a sweep's finalists, best validation first; none while it is not finished.

    The ensemble stands before them where it is better.
    """
    if state.open or state.closed is None or state.closed.reason not in _FINISHED:
        return []
    goal = Goal.of(config, state)
    complete = [t for t in ranked(state.trials.values(), goal) if t.of is None and t.checkpoint]
    tested = [trial for trial in complete if trial.test]
    chosen = tested or complete[: config.finalists.count]
    together = ensemble_of(state, config, goal)
    single = [finalist_of(trial, state, config, goal) for trial in chosen]
    return [*([] if together is None else [together]), *single]


def ensemble_of(state: SweepState, config: SweepConfig, goal: Goal) -> Finalist | None:
    """Return what is to be said of the finalists together; None where one alone is as good."""
    found = state.ensembled
    if found is None or not found.better:
        return None
    trials = {number: state.trials[number] for number in found.taken}
    if not all(trial.checkpoint for trial in trials.values()):
        return None
    uids = ",".join(f"{trials[n].uid}:{count}" for n, count in found.taken.items())
    single = finalist_of(state.trials[found.single], state, config, goal)
    return replace(
        single,
        uid=hashlib.sha256(uids.encode()).hexdigest()[: len(single.uid)],
        checkpoint="",
        best_epoch=0,
        best=dict(found.validation),
        test=dict(found.test),
        members=tuple((trials[n].checkpoint or "", count) for n, count in found.taken.items()),
    )


def finalist_of(
    trial: TrialState, state: SweepState, config: SweepConfig, goal: Goal | None = None
) -> Finalist:
    """Return what is to be said of one trial's model."""
    goal = goal or Goal.of(config, state)
    return Finalist(
        uid=trial.uid,
        lead=trial.uid,
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
        "sweep.trial": "ensemble" if finalist.members else str(finalist.number),
        "sweep.trial_uid": finalist.uid,
        "sweep.data_digest": finalist.digest,
        "sweep.metric": finalist.objective.metric,
        "sweep.direction": finalist.objective.direction,
    }
    if finalist.refit:
        tags |= {"refit_of": f"{finalist.sweep}/{finalist.number}", "refit_of.uid": finalist.lead}
    # `repr` keeps every digit: equal models must compare equal.
    for part, metrics in (("best", finalist.best), ("test", finalist.test)):
        for name, value in metrics.items():
            if "/" not in name or name == finalist.objective.metric:  # steps and classes are many
                tags[f"sweep.{part}.{name}"] = repr(value)
    return tags
