"""What a smoke holds a finished tiny sweep against, each check a named case. Pure.

Everything is read back: trials and reports from the log, runs and models from MLflow.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sweep.history.goal import Goal, ranked
from sweep.history.state import Standing, SweepState, TrialState
from sweep.log.event import Event
from sweep.log.kinds import Asked, Completed, Failed, Pruned, Recalled, Reported, Started
from sweep.tracking.run import metric_key

if TYPE_CHECKING:
    from sweep.tracking.reading import Record, RecordedRun

FALL = 1e-3  # the share by which the training loss must fall: more than rounding, less than luck
_LAST_EPOCHS = 2

ENDED = "the sweep ended by itself"
COUNT = "as many trials as expected"
TRIALS = "every trial ended without error"
FINITE = "all losses and objectives are finite"
FALLS = "the training loss falls"
RESUMED = "a killed sweep goes on where it was"
RECORD = "MLflow's record is complete"
MODEL = "a logged model loads and predicts"
NOTHING_LEFT = "nothing is left running"
NAMES = (ENDED, COUNT, TRIALS, FINITE, FALLS, RESUMED, RECORD, MODEL, NOTHING_LEFT)


@dataclass(frozen=True)
class Check:
    """One case: what was checked, and what was found.

    Attributes:
        outcome: `skipped` where there is nothing to check.
        message: Why it failed, or what it was held against.
    """

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    message: str
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the smoke fails by it."""
        return self.outcome == "failed"


def checked(name: str, problems: Sequence[str], fine: str) -> Check:
    """Return a check that failed if there are problems; the first three are told."""
    if not problems:
        return Check(name, "passed", fine)
    more = f" ({len(problems) - 3} more)" if len(problems) > 3 else ""
    return Check(name, "failed", "; ".join(problems[:3]) + more)


def check_count(state: SweepState, expected: int) -> Check:
    """Trials are numbered from 0 without a gap, and there are as many as the budget says."""
    numbers = sorted(state.trials)
    problems = []
    if numbers != list(range(expected)):
        problems = [f"{expected} trials were asked for, but the log has {len(numbers)}: {numbers}"]
    return checked(COUNT, problems, f"{expected} trials")


def check_trials(state: SweepState) -> Check:
    """No trial failed, and none is left behind."""
    problems = []
    for trial in state.trials.values():
        if trial.state is Standing.FAILED:
            why = trial.message or "its loss or gradient was not finite"
            problems.append(f"trial {trial.number} failed ({trial.reason}): {why}")
        elif not trial.ended:
            problems.append(f"trial {trial.number} is {trial.state.value}")
    return checked(TRIALS, problems, f"{len(state.trials)} trials")


def check_finite(state: SweepState, goal: Goal) -> Check:
    """Every epoch reported a finite loss, on training and validation, and finite objectives."""
    problems, reports = [], 0
    wanted = [o.metric for o in goal.objectives if o.metric != "parameters"]
    for trial in state.trials.values():
        for epoch, report in (trial.reports or {}).items():
            reports += 1
            values = {"train/loss": report.train.get("loss")}
            values |= {f"val/{name}": report.validation.get(name) for name in ("loss", *wanted)}
            problems += [
                f"trial {trial.number}, epoch {epoch}: {name} is {value}"
                for name, value in values.items()
                if value is None or not math.isfinite(value)
            ]
    if not reports:
        problems = ["no epoch was reported"]
    return checked(FINITE, problems, f"{reports} epochs")


def check_falls(state: SweepState, goal: Goal) -> Check:
    """The best trial's training loss is lower at its end than in its first epoch.

    The last two epochs are averaged, against the noise of dropout; epochs are so short that single
    batches say nothing. It must fall by a thousandth: rounding alone may make two epochs differ.
    """
    best = next(iter(ranked(state.trials.values(), goal)), None)
    if best is None:
        return Check(FALLS, "failed", "no trial is complete")
    losses = [report.train.get("loss", math.nan) for report in (best.reports or {}).values()]
    if len(losses) < 2:
        return Check(FALLS, "skipped", f"trial {best.number} has one epoch, it needs two")
    first, last = losses[0], statistics.fmean(losses[1:][-_LAST_EPOCHS:])
    says = f"trial {best.number}: {first:.4g} in epoch 1, {last:.4g} at epoch {len(losses)}"
    falls = last < first - FALL * abs(first)
    return checked(
        FALLS, [] if falls else [f"{says}; it must fall, perhaps with more train.max_epochs"], says
    )


def check_resumed(before: Sequence[Event], after: Sequence[Event]) -> Check:
    """What the log held at the kill stands; no trial was asked twice, no epoch counted twice."""
    if not before:
        why = "the sweep ended before it could be killed; give it more to do (train.max_epochs)"
        return Check(RESUMED, "failed", why)
    problems = []
    if list(before) != list(after[: len(before)]):
        problems.append("events from before the kill are missing or changed")
    asked = Counter(e.trial for e in after if isinstance(e.what, Asked))
    problems += [f"trial {n} was asked {count} times" for n, count in asked.items() if count > 1]
    reports = (e for e in after if isinstance(e.what, Reported))
    told = Counter((e.trial, e.attempt, e.epoch) for e in reports)
    problems += [
        f"trial {n}, epoch {epoch} was reported {count} times"
        for (n, _, epoch), count in told.items()
        if count > 1
    ]
    over = {e.trial for e in before if isinstance(e.what, Completed | Failed | Pruned)}
    over -= {e.trial for e in after if isinstance(e.what, Recalled)}  # to be finalists
    again = {e.trial for e in after[len(before) :] if isinstance(e.what, Started)} & over
    problems += [f"trial {n} had ended, and was trained again" for n in sorted(again, key=str)]
    epochs = sum(isinstance(e.what, Reported) for e in before)
    return checked(RESUMED, problems, f"killed after {epochs} epochs, {len(over)} trials had ended")


def check_record(state: SweepState, record: Record, steps: Sequence[str]) -> Check:
    """One run for the sweep, one a trial, ended; every epoch's points once; what finalists got."""
    problems = []
    if len(record.parents) != 1:
        problems.append(f"the sweep has {len(record.parents)} runs, not one")
    strangers = set(record.trials) - {trial.uid for trial in state.trials.values()}
    problems += [f"a run of no trial: {uid}" for uid in sorted(strangers)]
    for run in record.parents:
        if run.status != "FINISHED":
            problems.append(f"the sweep's run is {run.status}")
    for trial in state.trials.values():
        runs = record.trials.get(trial.uid, ())
        if len(runs) != 1:
            problems.append(f"trial {trial.number} has {len(runs)} runs, not one")
        for run in runs:
            problems += [f"trial {trial.number}: {p}" for p in _problems(trial, run, steps)]
    runs_seen = len(record.parents) + len(record.trials)
    return checked(RECORD, problems, f"{runs_seen} runs, {len(steps)} curves a trial")


def _problems(trial: TrialState, run: RecordedRun, steps: Sequence[str]) -> Iterator[str]:
    status = "FAILED" if trial.state is Standing.FAILED else "FINISHED"
    if run.status != status or run.tags.get("state") != trial.state.value:
        yield f"its run is {run.status}, {run.tags.get('state')}"
    for key in steps:
        epochs = _finite_epochs(trial, key)
        if run.steps.get(key) != epochs:
            yield f"{key} has steps {list(run.steps.get(key, ()))}, not {list(epochs)}"
    for prefix, metrics in (("best", trial.best), ("test", trial.test)):
        for name, value in metrics.items():
            if math.isfinite(value) and f"{prefix}/{metric_key(name)}" not in run.metrics:
                yield f"{prefix}/{name} is missing"


def _finite_epochs(trial: TrialState, key: str) -> tuple[int, ...]:
    """Return the epochs of which MLflow must have a metric: those with a finite value."""
    part, _, name = key.rpartition("/")
    found = []
    for epoch, report in sorted((trial.reports or {}).items()):
        metrics = {"train": report.train, "val": report.validation}.get(part)
        value = getattr(report, name) if metrics is None else metrics.get(name)
        if value is not None and math.isfinite(value):
            found.append(epoch)
    return tuple(found)
