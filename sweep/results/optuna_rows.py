"""A study written into Optuna's tables in one transaction.

Optuna's own `add_trial` reads before every row that it writes: 150 ms a trial on SQLite, and a
reader sees each trial as it comes. Here a thousand trials take about a second, and readers see
the old study or the new one. This is the only module that knows Optuna's tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

_METRIC_NAMES = "study:metric_names"
_OF_TRIALS = (
    models.TrialParamModel,
    models.TrialValueModel,
    models.TrialIntermediateValueModel,
    models.TrialUserAttributeModel,
    models.TrialSystemAttributeModel,
    models.TrialHeartbeatModel,
)
_OF_STUDIES = (
    models.TrialModel,
    models.StudyDirectionModel,
    models.StudyUserAttributeModel,
    models.StudySystemAttributeModel,
    models.StudyModel,
)


@dataclass(frozen=True)
class StudyRows:
    """A study as it shall be stored."""

    name: str
    directions: Sequence[StudyDirection]
    metric_names: Sequence[str]
    user_attrs: dict[str, Any]
    trials: Sequence[FrozenTrial]


def delete_study(connection: sa.Connection, study_id: int) -> None:
    """Delete a study and everything that belongs to it."""
    trials = models.TrialModel.__table__
    mine = sa.select(trials.c.trial_id).where(trials.c.study_id == study_id)
    for model in _OF_TRIALS:
        table = model.__table__
        connection.execute(table.delete().where(table.c.trial_id.in_(mine)))
    for model in _OF_STUDIES:
        table = model.__table__
        connection.execute(table.delete().where(table.c.study_id == study_id))


def insert_study(connection: sa.Connection, rows: StudyRows) -> None:
    """Write a study whose name is free."""
    study = models.StudyModel.__table__
    result = connection.execute(study.insert().values(study_name=rows.name))
    assert result.inserted_primary_key is not None
    study_id = int(result.inserted_primary_key[0])
    of_study = {"study_id": study_id}
    directions = [
        of_study | {"objective": index, "direction": direction}
        for index, direction in enumerate(rows.directions)
    ]
    _insert(connection, models.StudyDirectionModel, directions)
    attributes = [
        of_study | {"key": key, "value_json": json.dumps(value)}
        for key, value in rows.user_attrs.items()
    ]
    _insert(connection, models.StudyUserAttributeModel, attributes)
    names = of_study | {"key": _METRIC_NAMES, "value_json": json.dumps(list(rows.metric_names))}
    _insert(connection, models.StudySystemAttributeModel, [names])
    _insert_trials(connection, study_id, rows.trials)


def _insert_trials(connection: sa.Connection, study_id: int, frozen: Sequence[FrozenTrial]) -> None:
    if not frozen:
        return
    table = models.TrialModel.__table__
    values = [
        {
            "number": number,
            "study_id": study_id,
            "state": trial.state,
            "datetime_start": _utc(trial.datetime_start),
            "datetime_complete": _utc(trial.datetime_complete),
        }
        for number, trial in enumerate(frozen)
    ]
    insert = table.insert().returning(table.c.trial_id, sort_by_parameter_order=True)
    ids = connection.execute(insert, values).scalars().all()
    pairs = list(zip(ids, frozen, strict=True))
    _insert(connection, models.TrialParamModel, _params(pairs))
    _insert(connection, models.TrialValueModel, _values(pairs))
    _insert(connection, models.TrialIntermediateValueModel, _intermediate_values(pairs))
    _insert(connection, models.TrialUserAttributeModel, _attributes(pairs))


def _params(pairs: Iterable[tuple[int, FrozenTrial]]) -> Iterator[dict[str, Any]]:
    for trial_id, trial in pairs:
        for name, value in trial.params.items():
            distribution = trial.distributions[name]
            yield {
                "trial_id": trial_id,
                "param_name": name,
                "param_value": distribution.to_internal_repr(value),
                "distribution_json": distribution_to_json(distribution),
            }


def _values(pairs: Iterable[tuple[int, FrozenTrial]]) -> Iterator[dict[str, Any]]:
    for trial_id, trial in pairs:
        for objective, value in enumerate(trial.values or ()):
            stored, kind = models.TrialValueModel.value_to_stored_repr(value)
            yield {
                "trial_id": trial_id,
                "objective": objective,
                "value": stored,
                "value_type": kind,
            }


def _intermediate_values(pairs: Iterable[tuple[int, FrozenTrial]]) -> Iterator[dict[str, Any]]:
    model = models.TrialIntermediateValueModel
    for trial_id, trial in pairs:
        for step, value in trial.intermediate_values.items():
            stored, kind = model.intermediate_value_to_stored_repr(value)
            yield {
                "trial_id": trial_id,
                "step": step,
                "intermediate_value": stored,
                "intermediate_value_type": kind,
            }


def _attributes(pairs: Iterable[tuple[int, FrozenTrial]]) -> Iterator[dict[str, Any]]:
    for trial_id, trial in pairs:
        for key, value in trial.user_attrs.items():
            yield {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}


def _insert(connection: sa.Connection, model: Any, rows: Iterable[dict[str, Any]]) -> None:
    values = list(rows)
    if values:
        connection.execute(model.__table__.insert(), values)


def _utc(moment: datetime | None) -> datetime | None:
    """Return a local time as Optuna stores it: naive UTC."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
