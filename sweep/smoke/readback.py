"""Reads back what a tiny sweep left, in its log and in MLflow, and holds it against the checks."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sweep.config.tracking_uri import default_tracking_uri
from sweep.errors import SweepError
from sweep.history.goal import Goal, ranked
from sweep.history.state import SweepState, TrialState
from sweep.log.event import Event
from sweep.log.places import has_log, open_log
from sweep.running.preparation import Prepared
from sweep.smoke.checks import (
    COUNT,
    ENDED,
    FALLS,
    FINITE,
    MODEL,
    NOTHING_LEFT,
    RECORD,
    RESUMED,
    TRIALS,
    Check,
    check_count,
    check_falls,
    check_finite,
    check_record,
    check_resumed,
    check_trials,
    checked,
)
from sweep.smoke.model import check_model
from sweep.smoke.run import Ran


@dataclass(frozen=True)
class Found:
    """What was read back, and how it stands."""

    checks: tuple[Check, ...]
    state: SweepState
    goal: Goal
    best: TrialState | None


def read_back(prepared: Prepared, ran: Ran, directory: Path, possible: int | None) -> Found:
    """Hold a sweep that has ended against every check.

    Args:
        prepared: The tiny sweep.
        ran: How it ran.
        directory: The folder that it lies in.
        possible: How many trials the search can be asked for; None where there is no end.
    """
    checks: list[Check] = []
    events, uid = _events(ran.folder)
    state, goal = SweepState(keep_reports=True), prepared.goal
    for event in events:
        state.apply(event)
    best = next(iter(ranked(state.trials.values(), goal)), None)
    uri = default_tracking_uri(directory, prepared.config.tracking.uri)
    trials = min(ran.trials, possible or ran.trials)
    models: dict[str, str] = {}

    def recorded() -> Check:
        from sweep.tracking.reading import read_record

        experiment = prepared.config.tracking.experiment or prepared.config.name
        steps = _curves(goal)
        record = read_record(uri, experiment, uid, steps)
        models.update(record.models)
        return check_record(state, record, steps)

    def model() -> Check:
        found = None if best is None else models.get(best.uid)
        data = prepared.data
        if best is not None:
            data = prepared.data_of(prepared.train_config(best.number, best.params))
        return check_model(found, data, directory, uri)

    cases: dict[str, Callable[[], Check]] = {
        ENDED: lambda: _ended(ran),
        COUNT: lambda: check_count(state, trials),
        TRIALS: lambda: check_trials(state),
        FINITE: lambda: check_finite(state, goal),
        FALLS: lambda: check_falls(state, goal),
        RESUMED: lambda: check_resumed(ran.before, events),
        RECORD: recorded,
        MODEL: model,
        NOTHING_LEFT: lambda: checked(NOTHING_LEFT, ran.left, "no coordinator, worker or sink"),
    }
    for name, check in cases.items():
        checks.append(_timed(name, check))
    return Found(tuple(checks), state, goal, best)


def _events(folder: Path) -> tuple[list[Event], str]:
    """Return the log's events and the sweep's uid; nothing where it never came to a log."""
    if not has_log(folder):
        return [], ""
    log = open_log(folder)
    try:
        return list(log.read()), log.uid()
    finally:
        log.close()


def _curves(goal: Goal) -> tuple[str, ...]:
    """Return the metrics whose every epoch MLflow must have."""
    judged = [f"val/{o.metric}" for o in goal.objectives if o.metric != "parameters"]
    return tuple(dict.fromkeys(["train/loss", "val/loss", *judged, "learning_rate"]))


def _ended(ran: Ran) -> Check:
    problems = [] if ran.code == 0 else [f"exit code {ran.code}: {ran.said or 'not a word'}"]
    return checked(ENDED, problems, f"after {ran.seconds:.0f} s, {ran.resumed_seconds:.0f} resumed")


def _timed(name: str, check: Callable[[], Check]) -> Check:
    began = time.monotonic()
    try:
        found = check()
    except SweepError as error:  # a tracker that does not answer, a log that can't be read
        found = Check(name, "failed", " ".join(str(error).split()))
    return dataclasses.replace(found, seconds=time.monotonic() - began)
