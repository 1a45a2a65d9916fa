"""Logs finalists to MLflow as models, each once, and registers the best.

A model is found again by its trial's unique id, so logging one that is there changes nothing; one
that was begun and never finished is deleted and logged anew. Everything goes through the client:
MLflow's active run and current URI are the user's.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric, Run
from mlflow.exceptions import MlflowException
from mlflow.models import Model as Description
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE
from requests.exceptions import RequestException
from sqlalchemy.exc import SQLAlchemyError

from sweep.errors import ModelNotLogged, TrackerUnavailable
from sweep.log.checkpoints import checkpoint_path
from sweep.models.card import description
from sweep.models.champions import Finalist, contest, version_tags
from sweep.models.of_trial import model_of_trial
from sweep.models.package import package
from sweep.models.trained import ENSEMBLE
from sweep.models.upload import upload
from sweep.words.redaction import shown
from trainers.errors import TrainerError
from trainers.use.ensemble import EnsembleModel
from trainers.use.portable import PortableModel

CHAMPION = "champion"
_TRIES = 3
_PAUSE_SECONDS = 1.0
_LINE_CHARACTERS = 200
_POINTS_AT_ONCE = 1000  # MLflow takes no more
_SHOWN_METRICS = ("objective", "best/", "test/")
_OF_ENSEMBLE = ("ensemble/",)
_MLFLOW_ERRORS = (MlflowException, RequestException, SQLAlchemyError, OSError)
_T = TypeVar("_T")
Model = PortableModel | EnsembleModel


class ModelRecorder:
    """Writes one sweep's models to one experiment.

    Args:
        uri: MLflow tracking URI; the registry is the same server's or store's.
        experiment: Its name; the sweep's runs lie there.
        folder: The sweep's folder, which says how its data are read.
    """

    def __init__(self, uri: str, experiment: str, folder: Path) -> None:
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # whoever calls tries again
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._uri = uri
        self._experiment = experiment
        self._folder = folder
        self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)

    def log(self, finalist: Finalist, model: Model | None = None) -> str:
        """Log a finalist's best weights as a model, unless MLflow has it; return the model's id.

        Args:
            finalist: What is to be said of it.
            model: The model, where it is not what its checkpoints hold.

        Raises:
            TrackerUnavailable: MLflow does not answer; try again later.
            ModelNotLogged: it never will be: no checkpoint, no room, the run was deleted.
        """
        return self._persist(f"the model of {finalist.name}", lambda: self._log(finalist, model))

    def register(self, finalist: Finalist, model_id: str, name: str) -> str:
        """Register a logged model under a name, and make it champion if it is better.

        Returns:
            What was done, in one line.

        Raises:
            TrackerUnavailable, ModelNotLogged: as `log`.
        """
        what = f"the model of {finalist.name} as {name!r}"
        return self._persist(what, lambda: self._register(finalist, model_id, name))

    # -- logging -------------------------------------------------------------------------------

    def _log(self, finalist: Finalist, given: Model | None) -> str:
        experiment = self._client.get_experiment_by_name(self._experiment)
        if experiment is None:
            raise ModelNotLogged(f"experiment {self._experiment!r} does not exist")
        own = f"tags.`sweep.trial_uid` = '{finalist.uid}'"
        found = list(self._client.search_logged_models([experiment.experiment_id], own))
        for logged in found:
            if logged.status == LoggedModelStatus.READY:
                return str(logged.model_id)
        run = self._run_of(finalist, experiment.experiment_id)
        model = given or self._portable(finalist)
        for torn in found:
            self._client.delete_logged_model(torn.model_id)
        return self._create(finalist, run, model)

    def _run_of(self, finalist: Finalist, experiment_id: str) -> Run:
        """Return the trial's run; of an ensemble, the sweep's."""
        own = f"tags.`sweep.trial_uid` = '{finalist.lead or finalist.uid}'"
        runs = self._client.search_runs([experiment_id], own)
        if not runs:
            raise ModelNotLogged("its run was deleted")
        if not finalist.members:
            return runs[0]
        return self._client.get_run(runs[0].data.tags[MLFLOW_PARENT_RUN_ID])

    def _portable(self, finalist: Finalist) -> Model:
        try:
            if not finalist.members:
                return self._of_trial(finalist.checkpoint)
            models = [self._of_trial(checkpoint) for checkpoint, _ in finalist.members]
            return EnsembleModel(models, [count for _, count in finalist.members])
        except TrainerError as error:
            raise ModelNotLogged(str(error)) from error

    def _of_trial(self, checkpoint: str) -> PortableModel:
        return model_of_trial(checkpoint_path(self._folder, checkpoint), self._folder)

    def _create(self, finalist: Finalist, run: Run, model: Model) -> str:
        run_id, step = run.info.run_id, finalist.best_epoch
        logged = self._client.create_logged_model(
            run.info.experiment_id,
            name=finalist.name.replace(".", "-"),  # MLflow forbids dots
            source_run_id=run_id,
            tags={**version_tags(finalist), MLFLOW_RUN_NOTE: description(model.interface)},
            params=run.data.params,
            model_type="recurrent",
        )
        try:
            with tempfile.TemporaryDirectory() as name:
                self._package(finalist, logged, model, Path(name, "model"))
                upload(Path(name, "model"), logged.artifact_location, self._uri)
            self._client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=step)])
            self._show_metrics(finalist, run, logged.model_id)
            self._client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
        except BaseException:
            with suppress(Exception):
                self._client.delete_logged_model(logged.model_id)
            raise
        return str(logged.model_id)

    def _package(
        self,
        finalist: Finalist,
        logged: LoggedModel,
        model: Model,
        folder: Path,
    ) -> None:
        about: dict[str, Any] = {
            "sweep": finalist.sweep,
            "trial": ENSEMBLE if finalist.members else finalist.number,
            "best_epoch": finalist.best_epoch,
            "data_digest": finalist.digest,
        }
        description = Description(
            artifact_path=logged.artifact_location,
            model_uuid=logged.model_id,
            run_id=logged.source_run_id,
            model_id=logged.model_id,
        )
        package(model, folder, about, description)

    def _show_metrics(self, finalist: Finalist, run: Run, model_id: str) -> None:
        if not finalist.refit:
            names = _OF_ENSEMBLE if finalist.members else _SHOWN_METRICS
            self._link_metrics(run, model_id, names)
            return
        now, step = round(time.time() * 1000), finalist.best_epoch
        owner = {"model_id": model_id, "run_id": run.info.run_id}
        points = [
            Metric(f"refit/test/{name}", value, now, step, **owner)
            for name, value in finalist.test.items()
        ]
        if points:
            self._client.log_batch(run.info.run_id, points, synchronous=True)

    def _link_metrics(self, run: Run, model_id: str, names: tuple[str, ...]) -> None:
        """Show the run's closing metrics beside the model; to the run they are the same points."""
        latest = run.data.to_proto().metrics  # with times and steps; no request for each
        points = [
            Metric(p.key, p.value, p.timestamp, p.step, model_id=model_id, run_id=run.info.run_id)
            for p in latest
            if p.key.startswith(names)
        ]
        for first in range(0, len(points), _POINTS_AT_ONCE):
            some = points[first : first + _POINTS_AT_ONCE]
            self._client.log_batch(run.info.run_id, some, synchronous=True)

    # -- the registry --------------------------------------------------------------------------

    def _register(self, finalist: Finalist, model_id: str, name: str) -> str:
        version = self._version_of(finalist, name) or self._new_version(finalist, model_id, name)
        champion = self._champion(name)
        is_better, why = contest(finalist, champion)
        if is_better:
            self._client.set_registered_model_alias(name, CHAMPION, version)
            return f"{finalist.name} is version {version} of {name!r} and its champion: {why}"
        return f"{finalist.name} is version {version} of {name!r}, not its champion: {why}"

    def _version_of(self, finalist: Finalist, name: str) -> str | None:
        for version in self._client.search_model_versions(f"name = '{name}'"):
            if version.tags.get("sweep.trial_uid") == finalist.uid:
                return str(version.version)
        return None

    def _new_version(self, finalist: Finalist, model_id: str, name: str) -> str:
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        logged = self._client.get_logged_model(model_id)
        version = self._client.create_model_version(
            name,
            logged.artifact_location,  # as `models:/ID` it would be looked for at the current URI
            run_id=logged.source_run_id,
            tags=version_tags(finalist),
            model_id=model_id,
            description=logged.tags.get(MLFLOW_RUN_NOTE),
        )
        return str(version.version)

    def _champion(self, name: str) -> dict[str, str] | None:
        try:
            return dict(self._client.get_model_version_by_alias(name, CHAMPION).tags)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise

    # -- trouble -------------------------------------------------------------------------------

    def _persist(self, what: str, action: Callable[[], _T]) -> _T:
        """Try some times; then MLflow is away, or answers and won't have this one."""
        for left in reversed(range(_TRIES)):
            try:
                return action()
            except ModelNotLogged as error:
                raise ModelNotLogged(f"{what} is not logged: {error}") from error
            except _MLFLOW_ERRORS as error:
                if not self._answers():
                    raise TrackerUnavailable(
                        f"MLflow at {shown(self._uri)} takes no models ({_one_line(error)})"
                    ) from error
                if not left:
                    raise ModelNotLogged(f"{what} is not logged: {_one_line(error)}") from error
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError("unreachable")

    def _answers(self) -> bool:
        try:
            self._client.get_experiment_by_name(self._experiment)
        except _MLFLOW_ERRORS:
            return False
        return True


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return shown(lines[0])[:_LINE_CHARACTERS]
