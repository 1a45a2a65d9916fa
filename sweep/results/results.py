"""A sweep's trials as a table: read from its log, while it runs or after."""

from __future__ import annotations

import socket
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sweep.config.sweep_config import SweepConfig
from sweep.errors import LogError
from sweep.history.curves import LossCurves
from sweep.history.goal import Goal, pareto_front, ranked
from sweep.history.ledger import Ledger, LedgerFold
from sweep.history.state import Standing, SweepState, TrialState
from sweep.log.checkpoints import checkpoint_path
from sweep.log.event_log import EventLog
from sweep.log.places import has_log, open_log, sweeps_in
from sweep.log.process import LogWriter
from sweep.results.units import metric_unit
from trainers.learning.diagnosis import Diagnosis

DEFAULT_FOLDER = "sweeps"
SILENT_SECONDS = 30.0
"""After so long without a sign of life a coordinator on another machine is taken for gone."""


@dataclass(frozen=True)
class Results:
    """One sweep, folded from its log."""

    folder: Path
    config: SweepConfig
    state: SweepState
    goal: Goal
    curves: dict[int, LossCurves] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    pulse: tuple[float, dict[str, Any]] | None = None

    @property
    def trials(self) -> list[TrialState]:
        """All trials, by number."""
        return [self.state.trials[number] for number in sorted(self.state.trials)]

    @property
    def several_objectives(self) -> bool:
        """Whether the sweep has a Pareto front instead of one best value."""
        return len(self.goal.objectives) > 1

    @property
    def is_running(self) -> bool:
        """Whether a coordinator runs the sweep now, as far as can be told from this machine.

        Of one on another machine the last sign of life must not be older than half a minute.
        """
        opened = self.state.opened
        if opened is None or not self.state.open or LogWriter().is_gone(opened):
            return False
        here = opened.host == socket.gethostname()
        return here or (self.pulse is not None and self.pulse[0] < SILENT_SECONDS)

    def standings(self) -> Counter[str]:
        """Return how many of the search's own trials there are by state."""
        return Counter(self.status_of(trial) for trial in self.trials if trial.of is None)

    def repeats(self) -> dict[str, tuple[int, int]]:
        """Return how many audits and replicates have ended, and how many there are."""
        ended = Counter(t.source for t in self.trials if t.of is not None and t.ended)
        every = Counter(t.source for t in self.trials if t.of is not None)
        return {kind: (ended[kind], count) for kind, count in every.items()}

    def best(self) -> TrialState | None:
        """Return the complete trial with the best leading objective, if any."""
        return next(iter(ranked(self.trials, self.goal)), None)

    def checkpoint(self, trial: TrialState) -> Path | None:
        """Return where a trial's recorded checkpoint lies; None where none was written."""
        if trial.checkpoint is None:
            return None
        return checkpoint_path(self.folder.resolve(), trial.checkpoint)

    def status_of(self, trial: TrialState) -> str:
        """Return complete, pruned, failed, running or paused.

        A trial that has not ended is paused when nobody runs the sweep.
        """
        if trial.ended or trial.state is Standing.PAUSED:
            return trial.state.value
        return "running" if self.is_running else "paused"

    def diagnosis(self, trial: TrialState) -> Diagnosis | None:
        """Return underfitting, overfitting or balanced; None for a trial that is not complete."""
        curves = self.curves.get(trial.number)
        return curves.judge() if curves and trial.state is Standing.COMPLETE else None

    def front(self) -> set[int]:
        """Return the numbers of the Pareto front's trials; none with a single objective."""
        return self._front

    @cached_property
    def _front(self) -> set[int]:
        if not self.several_objectives:
            return set()
        return {trial.number for trial in pareto_front(self.trials, self.goal)}

    def unit(self, metric: str) -> str:
        """Return a metric's unit; empty for a pure number, or where the log does not know it."""
        opened = self.state.first_opened
        if opened is None:
            return ""
        unit = opened.units.get(metric)
        return metric_unit(metric, opened.data.task, opened.data.units, unit)


def find_sweep(name: str | Path, directory: str | Path = DEFAULT_FOLDER) -> Path:
    """Return the folder of a sweep, given its name or the folder itself.

    Raises:
        LogError: there is no such sweep; the message lists those that are there.
    """
    for folder in (Path(directory) / name, Path(name)):
        if has_log(folder):
            return folder
    there = ", ".join(sweep_names(directory))
    raise LogError(
        f"a sweep must be one of those in {directory} ({there or 'none yet'}), but got "
        f"{str(name)!r}; start it with `rnn-sweep run`, or name its folder with --dir."
    )


def sweep_names(directory: str | Path = DEFAULT_FOLDER) -> list[str]:
    """Return the names of the sweeps in a folder."""
    return sweeps_in(Path(directory))


def open_results(name: str | Path, directory: str | Path = DEFAULT_FOLDER) -> Results:
    """Fold a sweep's log as it is committed now.

    Raises:
        LogError: there is no such sweep, or its log can't be read.
    """
    folder = find_sweep(name, directory)
    log = open_log(folder)
    try:
        stored = log.config()
        if stored is None:
            raise LogError(
                f"the log in {folder} must hold a sweep named {log.sweep!r}, but has none."
            )
        config = SweepConfig.model_validate(stored)
        state, curves, ledger = _fold(log, config)
        pulse = log.pulse()
    finally:
        log.close()
    return Results(folder, config, state, Goal.of(config, state), curves, ledger, pulse)


def _fold(log: EventLog, config: SweepConfig) -> tuple[SweepState, dict[int, LossCurves], Ledger]:
    """Fold a log into what is known of every trial, its loss curves, and where the time went."""
    state, curves = SweepState(keep_reports=False), defaultdict[int, LossCurves](LossCurves)
    ledger = LedgerFold()
    for event in log.read():
        state.apply(event)
        ledger.apply(event)
        if state.objective is None:  # the first event says what the sweep optimises
            state.objective = Goal.of(config, state).leading
        trial = None if event.trial is None else state.trials.get(event.trial)
        if trial is not None and event.attempt == trial.attempt:
            curves[trial.number].apply(event)
    return state, dict(curves), ledger.ledger()
