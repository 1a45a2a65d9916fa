"""`rnn-sweep register`: a trial's model to MLflow and its registry, by hand."""

from __future__ import annotations

from pathlib import Path

from sweep.config.tracking_uri import default_tracking_uri
from sweep.errors import UserError
from sweep.models.champions import Finalist, ensemble_of, finalist_of
from sweep.results.results import Results, open_results


def register_trial(sweep: str, number: int | None, name: str | None, directory: Path) -> str:
    """Log a complete trial's model unless MLflow has it, and register it.

    Args:
        sweep: The sweep's name, or its folder.
        number: The trial; None for the best by validation, which may be the ensemble.
        name: Under which name; None for the sweep file's `tracking.register_as`.
        directory: The folder of sweeps.

    Returns:
        What was done, in one line.

    Raises:
        UserError: there is no such trial, or no name.
        TrackerError: MLflow does not answer, or won't have the model.
    """
    found = open_results(sweep, directory)
    tracking = found.config.tracking
    if (name := name or tracking.register_as) is None:
        raise UserError("a model is registered under a name: give --as NAME.")
    finalist = _finalist(found, number)
    from sweep.models.recorder import ModelRecorder

    uri = default_tracking_uri(found.folder.resolve().parent, tracking.uri)
    recorder = ModelRecorder(uri, tracking.experiment or found.config.name, found.folder)
    return recorder.register(finalist, recorder.log(finalist), name)


def _finalist(found: Results, number: int | None) -> Finalist:
    if number is None:
        together = ensemble_of(found.state, found.config, found.goal)
        if together is not None:
            return together
    trial = found.best() if number is None else found.state.trials.get(number)
    if trial is None or not trial.values:
        known = [t.number for t in found.trials if t.values]
        raise UserError(
            f"a complete trial of {found.config.name} must be one of {known}, but got "
            f"{'none' if number is None else number}."
        )
    return finalist_of(trial, found.state, found.config)
