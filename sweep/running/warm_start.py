"""Telling the sampler what earlier sweeps found."""

from __future__ import annotations

from pathlib import Path

from search_spaces.errors import SpaceError
from sweep.errors import ConfigProblem
from sweep.history.state import Standing, SweepState, TrialState, load_state
from sweep.log.event import Event
from sweep.log.kinds import Warmed
from sweep.log.places import has_log, open_log
from sweep.running.preparation import Prepared


def warm_events(prepared: Prepared, directory: Path) -> list[Event]:
    """Return one `warmed` event for each ended trial of the sweeps that the file names.

    Args:
        prepared: The sweep that is about to begin.
        directory: Folder of sweeps, where plain names are looked up.

    Raises:
        ConfigProblem: a sweep is missing, or pursued other objectives.
    """
    events = []
    for name in prepared.config.search.warm_start:
        state = _earlier(name, directory)
        _check_objectives(name, prepared, state)
        for trial in state.trials.values():
            params = _fitting(trial, prepared)
            if params is not None:
                events.append(Event(Warmed(params, trial.values, trial.state.value, name)))
    return events


def _earlier(name: str, directory: Path) -> SweepState:
    folder = directory / name if (directory / name).is_dir() else Path(name)
    if not has_log(folder):
        raise ConfigProblem(
            f"search.warm_start must name finished sweeps, but there is none in {folder}; give a "
            "name in --dir, or a sweep's folder."
        )
    log = open_log(folder)
    try:
        return load_state(log, keep_reports=False)
    finally:
        log.close()


def _check_objectives(name: str, prepared: Prepared, state: SweepState) -> None:
    ours = prepared.goal.plain()
    theirs = [] if state.first_opened is None else list(state.first_opened.objectives)
    if ours != theirs:
        raise ConfigProblem(
            f"a warm start needs the same objectives, but sweep {name!r} pursued {theirs} and "
            f"this one pursues {ours}."
        )


def _fitting(trial: TrialState, prepared: Prepared) -> dict[str, object] | None:
    """Return the trial's parameters where they lie in this sweep's space, else None."""
    told = trial.state in (Standing.COMPLETE, Standing.PRUNED) and bool(trial.values)
    drawn = prepared.space.distributions()
    if not told or not set(drawn) <= set(trial.params):
        return None
    params = {name: trial.params[name] for name in drawn}
    try:
        prepared.space.validate_point(params)
    except SpaceError:
        return None
    return params
