"""A sweep as a study in an Optuna storage, for optuna-dashboard and whatever else reads one.

Everything is written in one transaction: a reader never sees half a study, and an export that was
killed leaves what was there. A study of the sweep's name is replaced if it is this sweep's.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from sweep.errors import UserError
from sweep.history.goal import searched
from sweep.history.state import TrialState
from sweep.log.event_log import EventLog
from sweep.results.column import Column
from sweep.results.columns import columns_of
from sweep.results.optuna_rows import StudyRows, delete_study, insert_study
from sweep.results.optuna_trials import distributions, frozen_trial
from sweep.results.results import Results
from sweep.words.redaction import masked, shown

UID = "sweep.uid"
_MOST_EPOCHS = 1_000  # intermediate values a trial; each is a row of its own


def export_study(results: Results, log: EventLog, url: str) -> tuple[int, bool]:
    """Write the sweep to an Optuna storage; replicates are left out, they search for nothing.

    Args:
        log: The sweep's log, for its unique id.
        url: A database URL, as `sqlite:///study.db`.

    Returns:
        How many trials were written, and whether they replace an earlier export.

    Raises:
        UserError: the URL is none, the database can't be written, or holds a foreign study of
            the sweep's name.
    """
    _check_url(url, log)
    uid, objectives = log.uid(), results.goal.objectives
    rows = StudyRows(
        name=results.config.name,
        directions=[StudyDirection[d.upper()] for d in results.goal.directions],
        metric_names=[objective.metric for objective in objectives],
        user_attrs=_study_attributes(results, uid),
        trials=list(_trials(results)),
    )
    with _readable_errors(url):
        storage = RDBStorage(url, engine_kwargs=_engine_options(url))
        try:
            former = _former_export(storage, rows.name, uid, url)
            with storage.engine.begin() as connection:
                if former is not None:
                    delete_study(connection, former)
                insert_study(connection, rows)
        finally:
            storage.remove_session()
            storage.engine.dispose()
    return len(rows.trials), former is not None


def _trials(results: Results) -> Iterator[FrozenTrial]:
    known = distributions(results)
    own = ("objective", "params")  # Optuna has a place for these
    columns = [c for c in columns_of(results) if c.name.partition(".")[0] not in own]
    for trial in searched(results.trials):
        curve = [(e, v) for e, v in enumerate(trial.curve, start=1) if math.isfinite(v)]
        step = math.ceil(len(curve) / _MOST_EPOCHS) or 1
        # Optuna takes no intermediate values where there are several objectives.
        reported = {} if results.several_objectives else dict(curve[::step])
        yield frozen_trial(results, trial, known, reported, _attributes(results, trial, columns))


def _attributes(results: Results, trial: TrialState, columns: Iterable[Column]) -> dict[str, Any]:
    """Return a trial's user attributes: what the sweep knows and Optuna has no place for."""
    known = {"uid": trial.uid, "worker": trial.worker or None}
    known |= {column.name: column.value(results, trial) for column in columns}
    return {name: value for name, value in known.items() if value is not None}


def _study_attributes(results: Results, uid: str) -> dict[str, Any]:
    settings = masked(results.config.model_dump(mode="json"))
    return {UID: uid, "sweep.file": json.dumps(settings)}


def _former_export(storage: RDBStorage, name: str, uid: str, url: str) -> int | None:
    """Return the id of the sweep's study of an earlier export, if there is one."""
    try:
        study_id = storage.get_study_id_from_name(name)
    except KeyError:
        return None
    if storage.get_study_user_attrs(study_id).get(UID) != uid:
        raise UserError(
            f"a study named {name!r} in {shown(url)} must be an export of this sweep to be "
            "replaced, but is another one; name another database."
        )
    return study_id


def _check_url(url: str, log: EventLog) -> None:
    try:
        parsed = sa.engine.make_url(url)
    except sa.exc.ArgumentError as error:
        raise UserError(
            f"an Optuna storage must be a database URL as sqlite:///study.db, but got {url!r}."
        ) from error
    mine = log.engine.url.database
    if parsed.drivername.startswith("sqlite"):
        path = Path(parsed.database or "")
        if not parsed.database or parsed.database == ":memory:":
            raise UserError(f"an Optuna storage must outlive the export, but got {url!r}.")
        if mine is not None and path.resolve() == Path(mine).resolve():
            raise UserError(
                f"an Optuna storage must not be the sweep's own log, but got {url!r}; name "
                "another file."
            )
        if not path.parent.is_dir():
            raise UserError(
                f"the folder of {url!r} must exist, but {path.parent} does not; make it, or name "
                "another file."
            )


def _engine_options(url: str) -> dict[str, Any]:
    return {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}


@contextmanager
def _readable_errors(url: str) -> Iterator[None]:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        yield
    except (sa.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError) as error:
        cause = error.__cause__ or error
        line = str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]
        raise UserError(
            f"{shown(url)} must be a database that can be written, but: {line}."
        ) from error
    except RuntimeError as error:  # a storage of another version of Optuna
        line = str(error).strip().splitlines()[0]
        raise UserError(
            f"{shown(url)} must be an Optuna storage of this version, but: {line}"
        ) from error
