"""Trained models, found again: in MLflow, in a folder, or straight in a sweep."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import UserError
from sweep.history.state import TrialState
from sweep.log.checkpoints import checkpoint_path
from sweep.models.of_trial import model_of_trial
from sweep.results.results import DEFAULT_FOLDER, Results, open_results, sweep_names

if TYPE_CHECKING:
    from trainers.use.ensemble import EnsembleModel
    from trainers.use.portable import PortableModel
    from trainers.use.stepped_ensemble import SteppedEnsemble
    from trainers.use.stepping import SteppedModel

ENSEMBLE = "ensemble"
"""What stands for a trial where a sweep's finalists are meant together."""
_URI = re.compile(r"^[a-z0-9-]+:/", re.IGNORECASE)


def load_streaming(
    model: str | Path, directory: str | Path = DEFAULT_FOLDER, tracking_uri: str | None = None
) -> SteppedModel | SteppedEnsemble:
    """Load a model to be stepped, with its state in hand; arguments as `open_model`'s.

    Raises:
        UserError: there is no such model.
        CheckpointError: it is of another format, or damaged.
        ConfigError: its network is bidirectional, so it needs whole sequences.
    """
    from trainers.use.ensemble import EnsembleModel
    from trainers.use.stepped_ensemble import SteppedEnsemble
    from trainers.use.stepping import SteppedModel

    found = open_model(model, directory, tracking_uri)
    return SteppedEnsemble(found) if isinstance(found, EnsembleModel) else SteppedModel(found)


def open_single(
    model: str | Path,
    purpose: str,
    directory: str | Path = DEFAULT_FOLDER,
    tracking_uri: str | None = None,
) -> PortableModel:
    """Load a model that is one network; arguments as `open_model`'s.

    Args:
        purpose: What for, in messages.

    Raises:
        UserError: there is no such model, or it is an ensemble.
        CheckpointError: it is of another format, or damaged.
    """
    from trainers.use.ensemble import EnsembleModel

    found = open_model(model, directory, tracking_uri)
    if isinstance(found, EnsembleModel):
        raise UserError(
            f"{purpose} needs one network, but {model} is an ensemble of {len(found.members)}; "
            "name one trial, as SWEEP/TRIAL."
        )
    return found


def open_model(
    model: str | Path, directory: str | Path = DEFAULT_FOLDER, tracking_uri: str | None = None
) -> PortableModel | EnsembleModel:
    """Load a trained model; its code is this package's own, none of the model's is run.

    Args:
        model: `models:/NAME@champion`, `models:/NAME/VERSION`, `models:/ID`, `runs:/ID/NAME`; a
            local folder; or a sweep's name for its best trial, `NAME/TRIAL` for another,
            `NAME/ensemble` for its finalists together.
        directory: The folder of sweeps, as `--dir`.
        tracking_uri: Where `models:/` and `runs:/` are looked for; None for where sweeps are
            recorded: MLFLOW_TRACKING_URI, then the store in `directory`.

    Raises:
        UserError: there is no such model.
        CheckpointError: it is of another format, or damaged.
    """
    name, directory = str(model), Path(directory)
    if _URI.match(name):
        return _from_mlflow(name, directory, tracking_uri)
    folder = network_folder(Path(name))
    if folder is not None:
        from trainers.use.ensemble import read_model

        return read_model(folder)
    return _from_sweep(name, directory)


def network_folder(folder: Path) -> Path | None:
    """Return the folder of a logged model that holds its config and weights; None without one."""
    from trainers.use.ensemble import ENSEMBLE_FILE
    from trainers.use.portable import CONFIG_FILE, NETWORK_FOLDER

    for place in (folder / "artifacts" / NETWORK_FOLDER, folder):
        if any((place / name).is_file() for name in (CONFIG_FILE, ENSEMBLE_FILE)):
            return place
    return None


def _from_mlflow(
    uri: str, directory: Path, tracking_uri: str | None
) -> PortableModel | EnsembleModel:
    from sweep.config.tracking_uri import default_tracking_uri
    from sweep.models.downloads import download
    from trainers.use.ensemble import read_model

    with tempfile.TemporaryDirectory() as name:
        where = tracking_uri or default_tracking_uri(directory)
        found = network_folder(download(uri, where, Path(name)))
        if found is None:
            raise UserError(f"a model must have been logged by rnn-sweep, but {uri} was not.")
        return read_model(found)


def _from_sweep(name: str, directory: Path) -> PortableModel | EnsembleModel:

    sweep, number = _split(name, directory)
    found = open_results(sweep, directory)
    if number == ENSEMBLE:
        return ensemble_of(found)
    trial, checkpoint = checkpointed_trial(found, None if number is None else int(number))
    about = {"sweep": found.config.name, "trial": trial.number, "best_epoch": trial.best_epoch}
    return model_of_trial(checkpoint, found.folder, about)


def ensemble_of(found: Results) -> EnsembleModel:
    """Return the finalists of a sweep that were combined.

    Raises:
        UserError: none were, or a checkpoint of one is gone.
    """
    from trainers.use.ensemble import EnsembleModel

    combined = found.state.ensembled
    if combined is None or not combined.taken:
        why = "finalists.ensemble says so, or there are fewer than two finalists"
        if combined is not None:
            why = combined.reason.rstrip(".")
        raise UserError(f"sweep {found.config.name!r} must have an ensemble, but has none: {why}.")
    paths = [trial_checkpoint(found, number) for number in combined.taken]
    models = [model_of_trial(path, found.folder) for path in paths]
    return EnsembleModel(models, [*combined.taken.values()])


def _split(name: str, directory: Path) -> tuple[str, int | str | None]:
    """Tell `NAME/TRIAL` and `NAME/ensemble` from a name, or from a sweep's folder."""
    sweep, slash, number = name.rstrip("/").rpartition("/")
    if slash and not (directory / name).exists():
        if number == ENSEMBLE:
            return sweep, ENSEMBLE
        if number.isdecimal():
            return sweep, int(number)
    if name not in sweep_names(directory) and not Path(name).exists():
        there = ", ".join(sweep_names(directory)) or "none yet"
        raise UserError(
            f"a model must be a URI (models:/NAME@champion), a folder, or a sweep of {directory} "
            f"({there}), as NAME, NAME/TRIAL or NAME/ensemble, but got {name!r}."
        )
    return name, None


def trial_checkpoint(found: Results, number: int | None) -> Path:
    """Return the checkpoint of a trial, or of the best one.

    Raises:
        UserError: there is no such trial, or it has no checkpoint (any more).
    """
    return checkpointed_trial(found, number)[1]


def checkpointed_trial(found: Results, number: int | None) -> tuple[TrialState, Path]:
    """Return a trial, or the best one, and its checkpoint; see `trial_checkpoint`."""
    trial = found.best() if number is None else found.state.trials.get(number)
    if trial is None:
        known = f"0 … {len(found.state.trials) - 1}" if found.state.trials else "none yet"
        wanted = "complete trial" if number is None else f"trial {number}"
        raise UserError(f"sweep {found.config.name!r} has no {wanted}; its trials are {known}.")
    if trial.checkpoint is not None:
        path = checkpoint_path(found.folder, trial.checkpoint)
        if path.is_file():
            return trial, path
    raise UserError(
        f"trial {trial.number} of {found.config.name!r} has no checkpoint; the best "
        f"{found.config.retention.checkpoints} complete trials keep theirs "
        "(retention.checkpoints)."
    )
