"""A sweep's trials as a table: read from its log, while it runs or after."""

from __future__ import annotations

import socket
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from trainers.learning.diagnosis import Diagnosis

if TYPE_CHECKING:
    import pandas as pd

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

    def best(self) -> TrialState | None:
        """Return the complete trial with the best leading objective, if any."""
        return next(iter(ranked(self.trials, self.goal)), None)

    def checkpoint(self, trial: TrialState) -> Path | None:
        """Return where a trial's recorded checkpoint lies; None where none was written."""
        if trial.checkpoint is None:
            return None
        return checkpoint_path(self.folder.resolve(), trial.checkpoint)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain dictionary a trial, as `rnn-sweep results --format json` prints it."""
        front = self.front()
        return [self._record(trial, front) for trial in self.trials]

    def record(self, trial: TrialState) -> dict[str, Any]:
        """Return one trial's plain dictionary."""
        return self._record(trial, self.front())

    def frame(self) -> pd.DataFrame:
        """Return one row a trial; parameters and metrics in columns `params.*`, `best.*`, `test.*`.

        `source` says where a trial comes from: sampler, enqueued, audit or replicate; the latter
        two repeat trial `of`. `diagnosis` is what the loss curves of a complete trial say:
        underfitting, overfitting or balanced; None where they are too short. With several
        objectives the column `objective` becomes one `objective.<metric>` each, and `pareto` says
        who lies on the front. `seconds` is time spent training.
        """
        import pandas as pd

        front = self.front()
        rows = [dict(self._row(trial, front)) for trial in self.trials]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        order = {"params": 1, "best": 2, "test": 3}
        columns.sort(key=lambda name: order.get(name.partition(".")[0], 0))
        return pd.DataFrame(rows, columns=columns or [name for name, _ in _BASIC])

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
        if not self.several_objectives:
            return set()
        return {trial.number for trial in pareto_front(self.trials, self.goal)}

    def _record(self, trial: TrialState, front: set[int]) -> dict[str, Any]:
        values = list(self.goal.values(trial))
        record = {
            "number": trial.number,
            "state": self.status_of(trial),
            "objective": values if self.several_objectives else values[0],
            "epochs": trial.epoch,
            "seed": trial.seed,
            "source": trial.source,
            "of": trial.of,
            "params": dict(trial.params),
            "best": dict(trial.best),
            "test": dict(trial.test),
        }
        if self.several_objectives:
            record["pareto"] = trial.number in front
        return record

    def _row(self, trial: TrialState, front: set[int]) -> Iterator[tuple[str, Any]]:
        values = self.goal.values(trial)
        yield "number", trial.number
        yield "state", self.status_of(trial)
        if self.several_objectives:
            for objective, value in zip(self.goal.objectives, values, strict=True):
                yield f"objective.{objective.metric}", value
            yield "pareto", trial.number in front
        else:
            yield "objective", values[0]
        for name, read in _BASIC[3:-1]:
            yield name, read(trial)
        yield "diagnosis", self.diagnosis(trial)
        for prefix in ("params", "best", "test"):
            for name, value in getattr(trial, prefix).items():
                yield f"{prefix}.{name}", value


_BASIC: list[tuple[str, Any]] = [
    ("number", None),
    ("state", None),
    ("objective", None),
    ("epochs", lambda trial: trial.epoch),
    ("best_epoch", lambda trial: trial.best_epoch),
    ("seed", lambda trial: trial.seed),
    ("source", lambda trial: trial.source),
    ("of", lambda trial: trial.of),
    ("seconds", lambda trial: trial.train_seconds),
    ("diagnosis", None),
]


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


def load_results(name: str | Path, directory: str | Path = DEFAULT_FOLDER) -> pd.DataFrame:
    """Return a sweep's trials, one row each, as a pandas DataFrame.

    Args:
        name: The sweep's name in `directory`, or its folder.
        directory: The folder of sweeps, as `--dir`.

    Raises:
        LogError: there is no such sweep, or its log can't be read.
    """
    return open_results(name, directory).frame()
