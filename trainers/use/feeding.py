"""Feeding back: a forecast becomes the next input, in own units, scaled anew.

A network of windows reads the window that its next forecast needs, from zero state, as in training;
one that answers at every step without windows is stepped on, its state carried. Of distributions
paths are drawn: each reads what was drawn of it, so that uncertainty grows along them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from trainers.data.contract import Array
from trainers.data.features.reading import Scales
from trainers.data.interface import Interface
from trainers.data.series.courses import Course
from trainers.data.series.reading import WindowReading
from trainers.data.series.requested import course_of_request
from trainers.errors import DataError
from trainers.use.forecasting import Horizon, told
from trainers.use.records import FORECAST, FORECAST_SETTINGS, Encoded, check_fields
from trainers.use.streaming import StreamingModel

_FIELDS = ("steps", "series", "state", FORECAST, *FORECAST_SETTINGS)


class Model(Protocol):
    """What is asked of a model; `trainers.use.portable.PortableModel` has it."""

    interface: Interface

    def outputs_of(self, encoded: Sequence[Encoded]) -> list[Array]:
        """Run the network from zero state: outputs `(time, outputs)` or `(outputs,)` each."""

    def answers_of(self, outputs: Array, generator: torch.Generator | None) -> Array:
        """Return the point answers in outputs, or draw from their distributions; still scaled."""

    def in_own_units(self, answers: Array, scales: Scales | None) -> Array:
        """Return answers in own units."""

    def encode(self, record: Mapping[str, Any], where: str) -> Encoded:
        """Return a record as the network reads it."""

    def scaled(self, raw: Array) -> Array:
        """Return raw numbers `(…, features)` as the network reads them."""

    def streaming_model(self) -> StreamingModel:
        """Return the network to be stepped."""


@dataclass(frozen=True)
class Member:
    """A model that forecasts, alone or with others.

    Attributes:
        model: The model.
        courses: Of the series, as its own data are read.
        weight: How often it counts.
    """

    model: Model
    courses: Sequence[Course]
    weight: int = 1


def forecast(members: Sequence[Member], horizon: Horizon) -> list[dict[str, Any]]:
    """Forecast the coming rows of series, block by block; as `told` says it, one answer each.

    Several members forecast their mean, which is what each of them is fed.

    Raises:
        DataError: there is no distribution to draw paths from, or members forecast other series.
    """
    _check_alike(members, horizon)
    reading = members[0].model.interface.reading
    assert isinstance(reading, WindowReading)
    courses, generator = members[0].courses, _generator(horizon)
    paths, block, targets = horizon.paths or 1, courses[0].block, len(reading.targets)
    count = -(-horizon.steps // block) * block
    found = np.empty((len(courses), paths, count, targets))
    weights = [member.weight for member in members]
    for step in range(0, count, block):
        said = [_block(member, step, found, generator) for member in members]
        found[:, :, step : step + block] = np.average(said, axis=0, weights=weights)
    return [told(one[:, : horizon.steps], reading.targets, horizon) for one in found]


def _block(member: Member, step: int, found: Array, generator: torch.Generator | None) -> Array:
    """What a member says of the block after `step` steps, `(series, paths, block, targets)`."""
    model, pairs = member.model, [*zip(found, member.courses, strict=True)]
    asked = [one for known, course in pairs for one in course.windows_before(step, known)]
    encoded = [Encoded(one.inputs, one.present, one.scales, one.ahead) for one in asked]
    newest = np.stack([_newest(outputs) for outputs in model.outputs_of(encoded)])
    answers = model.answers_of(newest, generator).reshape(*found.shape[:2], -1)
    own = [
        _in_own_units(model, one, course, known[:, step - 1] if step else None)
        for one, (known, course) in zip(answers, pairs, strict=True)
    ]
    return np.stack(own).reshape(*found.shape[:2], -1, found.shape[-1])


def _in_own_units(model: Model, answers: Array, course: Course, before: Array | None) -> Array:
    """Return a block's answers `(paths, ·)` in own units; changes are from the row `before` them.

    `before` is `(paths, targets)`, None where that is the newest known one.
    """
    reading = model.interface.reading
    if course.base is None or not isinstance(reading, WindowReading):
        return model.in_own_units(answers, course.scales)
    bases = np.broadcast_to(course.base, (len(answers), len(course.base)))
    each = [
        model.in_own_units(one, reading.from_base(course.scales, base))
        for one, base in zip(answers, bases if before is None else before, strict=True)
    ]
    return np.stack(each)


def _check_alike(members: Sequence[Member], horizon: Horizon) -> None:
    if len(members) > 1 and horizon.paths is not None:
        raise DataError(
            f"paths are drawn from one network, but these are {len(members)} together; leave paths "
            "out, or ask one trial, as SWEEP/TRIAL."
        )
    series = [[(course.key, course.block) for course in member.courses] for member in members]
    if any(one != series[0] for one in series):
        raise DataError(
            "networks together must forecast the same series, but they need other numbers of rows; "
            "bring more rows of each series, or ask one trial, as SWEEP/TRIAL."
        )


def forecast_record(
    models: Sequence[tuple[Model, int]], record: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """Answer a record with `forecast`, the number of coming steps after its `steps`.

    Args:
        models: One, or several together, and how often each counts.
        record: See `trainers.data.series.requested`.
        where: Which it is, for messages.

    Raises:
        DataError: the record does not fit, or its network can't be fed back.
        ConfigError: the network must be stepped, and is bidirectional.
    """
    check_fields(record, _FIELDS, where)
    horizon = Horizon.of_record(record, where)
    members = []
    for model, weight in models:
        reading = model.interface.reading
        if not isinstance(reading, WindowReading):
            return _stepped_on(models, record, horizon, where)
        if record.get("state") is not None:
            raise DataError(
                f"{where}: coming steps are forecast of windows, as in training, without a state; "
                "leave state out and send the steps of a window."
            )
        course = course_of_request(record, reading, horizon.steps, where)
        members.append(Member(model, [course], weight))
    return forecast(members, horizon)[0]


def _stepped_on(
    models: Sequence[tuple[Model, int]], record: Mapping[str, Any], horizon: Horizon, where: str
) -> dict[str, Any]:
    """Read the steps of a record, from its state if it has one, then the network's forecasts."""
    model = models[0][0]
    _check_steppable(model, where)
    if len(models) > 1:
        raise DataError(
            f"{where}: one network is stepped on, but these are {len(models)} together; ask one "
            "trial."
        )
    names, targets = model.interface.input_names, model.interface.outputs
    order = [targets.index(name) for name in names]
    begun = {name: record.get(name) for name in ("steps", "state")}
    network, generator = model.streaming_model(), _generator(horizon)
    encoded = model.encode(begun, where)
    if record.get("state"):
        network.restore_text(record["state"], where)
    outputs = network.step(torch.from_numpy(encoded.inputs[encoded.mask])[None])[:, -1]
    state = {} if record.get("state") is None else {"state": network.dump_text()}
    paths = horizon.paths or 1
    network.repeat_state(paths)
    found = np.empty((paths, horizon.steps, len(targets)))
    outputs = outputs.expand(paths, -1)
    for step in range(horizon.steps):
        if step:
            outputs = network.step(torch.from_numpy(model.scaled(found[:, step - 1, order])))
        found[:, step] = model.in_own_units(model.answers_of(outputs.numpy(), generator), None)
    return {**told(found, targets, horizon), **state}


def _check_steppable(model: Model, where: str) -> None:
    interface = model.interface
    unfit = {
        "tells classes": interface.task != "regression",
        "reads tokens": interface.ids,
        "answers once a sequence": interface.one_target,
    }
    for kind in [kind for kind, found in unfit.items() if found]:
        raise DataError(
            f"{where}: coming steps are forecast by a network of windows (data.source: csv), or "
            f"one that answers with numbers at every step, but this one {kind}."
        )
    others = [name for name in interface.input_names if name not in interface.outputs]
    if others or not interface.input_names:
        which = f"{others[0]!r} is not" if others else "its inputs have no names"
        raise DataError(
            f"{where}: without windows every input must be a target by name, to be fed back, but "
            f"{which}; train on windows of a table (data.source: csv)."
        )


def _generator(horizon: Horizon) -> torch.Generator | None:
    return None if horizon.paths is None else torch.Generator().manual_seed(horizon.seed)


def _newest(outputs: Array) -> Array:
    """The outputs of the last step that is there, `(outputs,)`."""
    if outputs.ndim == 1:
        return outputs
    there = np.flatnonzero(~np.isnan(outputs).any(axis=-1))
    return np.asarray(outputs[there[-1]])
