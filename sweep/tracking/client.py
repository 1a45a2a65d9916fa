"""Writes runs to MLflow, each exactly once.

MLflow identifies a metric by (run, key, step, timestamp, value) and overwrites a tag, so writing
again what was written changes nothing. Runs have no identity but the one we tag them with: before
a run is made that may exist already, it is searched for.
"""

from __future__ import annotations

import logging
import sqlite3
import tempfile
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy
from mlflow.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    Metric,
    Param,
    Run,
    RunTag,
    ViewType,
)
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from sweep.config.tracking_uri import is_server, is_sqlite
from sweep.errors import RunGone, TrackerUnavailable
from sweep.tracking.errors import Answers, gone_line
from sweep.tracking.run import DataPart, RunWrite, Status

_SINGLE_SEARCHES = 20
_PAGE = 1000


@dataclass
class _Known:
    """A run that is in MLflow: its id, and whether it is RUNNING there."""

    run_id: str
    running: bool


class MlflowWriter:
    """Writes one sweep's runs to one experiment; several threads may write, each its own runs."""

    def __init__(self, uri: str, experiment: str, artifacts: Path, *, own_store: bool) -> None:
        """Prepare; nothing is opened before `connect`.

        Args:
            uri: MLflow tracking URI.
            experiment: Name of the experiment; made where it is missing.
            artifacts: Folder for artifacts, where no server decides about them.
            own_store: Whether the store is the --dir folder's own SQLite file.
        """
        self._uri = uri
        self._experiment = experiment
        self._artifacts = artifacts
        self._own_store = own_store
        self._experiment_id = ""
        self._parent_id = ""
        self._known: dict[str, _Known] = {}
        self._doubtful: set[str] = set()
        self._gone: set[str] = set()
        self._said_gone: set[str] = set()  # those of `_gone` that were said to be
        self._searched_to_seq = 0
        self._searches = 0
        self._searching = threading.Lock()
        self._answers = Answers(uri, self._check_experiment)
        _silence_libraries()

    def connect(self, sweep_uid: str, last_seq: int) -> bool:
        """Find or make the experiment, and find the sweep's run.

        Args:
            sweep_uid: The sweep's unique id.
            last_seq: The log's newest event: runs of later ones can't exist yet.

        Returns:
            Whether the sweep was written here before.

        Raises:
            TrackerUnavailable: the tracker does not answer.
        """
        with self._answers.read():
            _require_database(self._uri)
            self._client = MlflowClient(tracking_uri=self._uri)
            self._experiment_id = self._find_experiment()
            if self._own_store:
                _use_wal(self._uri)
            found = self._search(_parent_filter(sweep_uid))
            if found:
                self._parent_id = found[0].info.run_id
                self._adopt(sweep_uid, found)
        self._searched_to_seq = last_seq if found else 0
        return bool(found)

    def write(self, write: RunWrite) -> None:
        """Write to one run; it is made when it is new.

        Raises:
            TrackerUnavailable: try the same write again later.
            RunGone: somebody deleted the run; told once, then its writes are left out.
        """
        try:
            if write.uid in self._gone:
                raise RunGone(gone_line(write.name))
            self._write(write)
        except RunGone:
            self._gone.add(write.uid)
            if write.uid not in self._said_gone:
                self._said_gone.add(write.uid)
                raise

    def find(self, uid: str) -> str | None:
        """Return MLflow's id of a run that this writer has found or made; None for any other."""
        known = self._known.get(uid)
        return None if known is None or uid in self._gone else known.run_id

    def finish(self, uid: str, files: Mapping[str, bytes], note: str) -> None:
        """Store files as a run's artifacts, by path, and its note; older ones are replaced.

        Raises:
            TrackerUnavailable: try again later.
            RunGone: somebody deleted the run.
        """
        run_id = self.find(uid)
        if run_id is None:
            return
        with self._answers.read(uid), tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            self._client.log_artifacts(run_id, folder)
            self._client.set_tag(run_id, "mlflow.note.content", note)

    def save_view(self, key: str, value: str) -> None:
        """Set the experiment's tag that holds a saved view (`sweep.tracking.view`).

        Raises:
            TrackerUnavailable: try again later.
        """
        with self._answers.read():
            self._client.set_experiment_tag(self._experiment_id, key, value)

    def _write(self, write: RunWrite) -> None:
        known = self._known.get(write.uid) or self._find(write)
        tags = [RunTag(k, v) for k, v in write.tags.items()] if known else []
        known = known or self._create(write)
        params = [Param(k, v) for k, v in write.params.items()]
        metrics = [Metric(p.key, p.value, p.time_ms, p.step) for p in write.points]
        with self._answers.read(write.name):
            # Returns at once where there is nothing to log; cuts the batch to MLflow's limits.
            self._client.log_batch(known.run_id, metrics, params, tags, synchronous=True)
            if write.inputs:
                self._client.log_inputs(known.run_id, [_dataset(part) for part in write.inputs])
            self._set_status(known, write)
            if write.uid in self._doubtful and write.end_ms is not None:
                self._adopt(write.uid, self._search(_filter(write)))
                self._doubtful.discard(write.uid)

    def _set_status(self, known: _Known, write: RunWrite) -> None:
        if write.status is not None and write.status is not Status.RUNNING:
            self._client.set_terminated(known.run_id, write.status.value, write.end_ms)
            known.running = False
        elif write.end_ms is None and not known.running:
            # Reopened; or ended by a sink that got further than the offset it had committed.
            self._client.update_run(known.run_id, status=Status.RUNNING.value)
            known.running = True

    # -- finding and making runs ---------------------------------------------------------------

    def _find_experiment(self) -> str:
        experiment = self._client.get_experiment_by_name(self._experiment)
        if experiment is None:
            location = None if is_server(self._uri) else self._artifacts.resolve().as_uri()
            try:
                return str(self._client.create_experiment(self._experiment, location))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            return self._find_experiment()  # another sweep's sink was faster
        self._require_active(experiment)
        return str(experiment.experiment_id)

    def _require_active(self, experiment: Experiment) -> None:
        if experiment.lifecycle_stage != "active":
            raise TrackerUnavailable(
                f"experiment {self._experiment!r} must be active in MLflow, but was deleted; "
                f"restore it (`mlflow experiments restore -x {experiment.experiment_id}`) or set "
                "tracking.experiment"
            )

    def _check_experiment(self) -> None:
        with self._answers.read():
            self._require_active(self._client.get_experiment(self._experiment_id))

    def _create(self, write: RunWrite) -> _Known:
        tags = dict(write.tags)
        if not write.is_parent:
            tags["mlflow.parentRunId"] = self._parent_id
        try:
            with self._answers.read():
                run = self._client.create_run(
                    self._experiment_id, write.start_ms, tags, run_name=write.name
                )
        except TrackerUnavailable:
            self._doubtful.add(write.uid)  # the server may have made it all the same
            raise
        known = self._known[write.uid] = _Known(run.info.run_id, running=True)
        if write.is_parent:
            self._parent_id = known.run_id
        return known

    def _find(self, write: RunWrite) -> _Known | None:
        """Return the run if it may exist and does."""
        if write.uid not in self._doubtful and write.asked_seq > self._searched_to_seq:
            return None
        with self._searching, self._answers.read():
            self._searches += 1
            if self._searches == _SINGLE_SEARCHES and self._parent_id:
                self._find_all_trials()
            if write.uid not in self._known and write.uid not in self._gone:
                self._adopt(write.uid, self._search(_filter(write)))
        if write.uid in self._gone:
            raise RunGone(gone_line(write.name))
        return self._known.get(write.uid)

    def _find_all_trials(self) -> None:
        runs: dict[str, list[Run]] = {}
        for run in self._search(f"tags.`mlflow.parentRunId` = '{self._parent_id}'"):
            runs.setdefault(run.data.tags.get("sweep.trial_uid", ""), []).append(run)
        for uid, found in runs.items():
            self._adopt(uid, found)

    def _adopt(self, uid: str, found: list[Run]) -> None:
        """Keep one of the runs that bear a uid, and delete the others: they are ghosts.

        A ghost is made when a server carries out a request after we stopped waiting for it. It is
        empty, or as good as the run that we keep.
        """
        active = [run for run in found if run.info.lifecycle_stage == "active"]
        if not active:
            if found:
                self._gone.add(uid)
            return
        mine = self._known.get(uid)
        keep = max(active, key=lambda run: _preference(run, mine))
        for run in active:
            if run is not keep:
                self._client.delete_run(run.info.run_id)
        self._known[uid] = _Known(keep.info.run_id, running=keep.info.status == "RUNNING")

    def _search(self, filter_string: str) -> list[Run]:
        found: list[Run] = []
        token: str | None = None
        while True:
            page = self._client.search_runs(
                [self._experiment_id], filter_string, ViewType.ALL, _PAGE, page_token=token
            )
            found.extend(page)
            token = page.token
            if not token:
                return found


def _parent_filter(sweep_uid: str) -> str:
    return f"tags.`sweep.kind` = 'sweep' and tags.`sweep.uid` = '{sweep_uid}'"


def _filter(write: RunWrite) -> str:
    if write.is_parent:
        return _parent_filter(write.uid)
    return f"tags.`sweep.trial_uid` = '{write.uid}'"


def _preference(run: Run, mine: _Known | None) -> tuple[bool, int, str]:
    known = mine is not None and run.info.run_id == mine.run_id
    return known, len(run.data.metrics) + len(run.data.params), str(run.info.run_id)


def _dataset(part: DataPart) -> DatasetInput:
    dataset = Dataset(part.name, part.digest, "local", part.source, profile=part.profile)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", part.context)])


def _require_database(uri: str) -> None:
    """Connect once: where a database is away, mlflow itself tries for minutes before it says so."""
    if is_server(uri) or is_sqlite(uri) or "://" not in uri or uri.startswith("databricks"):
        return
    engine = sqlalchemy.create_engine(uri)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def _use_wal(uri: str) -> None:
    """Let the store be read (by `rnn-sweep ui`) while it is written, at a third of the time."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as store:
        store.execute("PRAGMA journal_mode=WAL")


def _silence_libraries() -> None:
    # They print tracebacks for what we retry, and a line for every migration of a new store.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
