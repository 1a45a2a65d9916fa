"""What releases before series, zones and categories kept of windows, as it is kept now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainers.data.features.encoding import Encoding
from trainers.data.features.recipe import InputColumn, Recipe
from trainers.data.features.scales import Fit, Scale
from trainers.data.series.reading import WindowReading
from trainers.data.series.rows import RowOptions
from trainers.data.times.cycles import Calendar
from trainers.data.times.options import TimeOptions


def is_earlier(values: Mapping[str, Any]) -> bool:
    """Whether the plain values of a reading were written by such a release."""
    return "encoding" not in values


def upgraded(values: Mapping[str, Any], interface: Mapping[str, Any]) -> WindowReading:
    """Return the reading; scales stood in the interface.

    Raises:
        KeyError, TypeError: the values are not of that kind.
    """
    stamps, targets = values.get("stamps"), _targets(values, interface)
    recipe = Recipe(
        columns=tuple(InputColumn(name) for name in values["columns"]),
        known=tuple(InputColumn(name) for name in values.get("known_ahead", ())),
        calendar=Calendar(("hour", "week") if values.get("calendar") else ()),
        steps_ahead=values["steps_ahead"],
        output_steps=values["output_steps"],
    )
    inputs = _scales(interface["input_scale"], interface["input_shift"])
    outputs = _scales(interface["target_scale"], interface["target_shift"])
    return WindowReading(
        rows=RowOptions(times=None if stamps is None else TimeOptions((stamps,))),
        encoding=Encoding(recipe, inputs, Fit("standard")),
        input_steps=values["input_steps"],
        targets=targets,
        scales=outputs[: len(targets)],
    )


def _scales(scale: Sequence[float], shift: Sequence[float]) -> tuple[Scale, ...]:
    return tuple(Scale(*pair) for pair in zip(scale, shift, strict=True))


def _targets(values: Mapping[str, Any], interface: Mapping[str, Any]) -> tuple[str, ...]:
    """The target columns: several steps' names are those with `+step` behind."""
    names = interface["target_names"]
    if values["output_steps"] == 1:
        return tuple(names)
    first = f"+{values['steps_ahead']}"
    return tuple(name.removesuffix(first) for name in names if name.endswith(first))
