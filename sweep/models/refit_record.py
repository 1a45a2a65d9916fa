"""A refitted model in MLflow and its registry."""

from __future__ import annotations

import hashlib

from sweep.config.tracking_uri import default_tracking_uri
from sweep.models.champions import Finalist
from sweep.models.refit import Refitted
from sweep.results.results import Results


def record_refit(made: Refitted, found: Results, name: str | None) -> str:
    """Log a refitted model in its trial's run, and register it where a name is given.

    Args:
        made: The model.
        found: Its sweep.
        name: In the registry; None for `tracking.register_as`.

    Returns:
        What was done, in one line.

    Raises:
        TrackerError: MLflow does not answer, or won't have the model.
    """
    from sweep.models.recorder import ModelRecorder

    tracking = found.config.tracking
    uri = default_tracking_uri(found.folder.resolve().parent, tracking.uri)
    recorder = ModelRecorder(uri, tracking.experiment or found.config.name, found.folder)
    finalist = as_finalist(made, found)
    model_id = recorder.log(finalist, made.model)
    name = name or tracking.register_as
    if name is None:
        return f"{finalist.name} is model {model_id} in MLflow."
    return f"{recorder.register(finalist, model_id, name)}."


def as_finalist(made: Refitted, found: Results) -> Finalist:
    """Return what is to be said of a refitted model."""
    uid = hashlib.sha256(f"{made.trial.uid} {made.key}".encode()).hexdigest()
    return Finalist(
        uid=uid[: len(made.trial.uid)],
        sweep=found.config.name,
        number=made.trial.number,
        checkpoint="",
        best_epoch=made.epochs,
        digest=made.digest,
        objective=found.goal.leading,
        test=made.test,
        lead=made.trial.uid,
        refit=made.key,
    )
