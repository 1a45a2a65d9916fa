"""What people are told of a logged model: which inputs it takes, in which order, and a request."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from trainers.data.features.reading import EncodedReading
from trainers.data.features.recipe import InputColumn
from trainers.data.interface import Interface
from trainers.data.series.reading import WindowReading
from trainers.data.times.writing import written

_EXAMPLE_STEPS = (2, 1)
_BEGIN = datetime(2024, 1, 1)
_EPOCH = datetime(1970, 1, 1)
_SHOWN_INPUTS = 200
_MAX_CHARACTERS = 4_500  # MLflow takes 5,000


def example(interface: Interface) -> list[dict[str, Any]]:
    """Return a request of two sequences of different lengths: the data's own middle, repeated.

    Where inputs have names, the steps of the first are objects of them, those of the second lists.
    """
    if interface.ids:
        return [{"ids": [0] * steps} for steps in _EXAMPLE_STEPS]
    steps = [_step(interface, number) for number in range(max(_EXAMPLE_STEPS))]
    names = interface.raw_names
    if not names:
        return [{"steps": steps[:count]} for count in _EXAMPLE_STEPS]
    series = _series(interface)
    by_name = [dict(zip(names, step, strict=True)) for step in steps]
    long, short = _EXAMPLE_STEPS
    return [{"steps": by_name[:long], **series}, {"steps": steps[:short], **series}]


def description(interface: Interface) -> str:
    """Return what a model takes and answers, as Markdown."""
    names = interface.raw_names
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN_INPUTS])
    shown += ", …" if len(names) > _SHOWN_INPUTS else ""
    takes = "token ids, or texts" if interface.ids else f"{interface.input_size} numbers a step"
    request = json.dumps({"inputs": example(interface)[-1:]}, ensure_ascii=False)
    paragraphs = (
        f"**Inputs of a step, in order**: {shown}." if names else f"**Takes** {takes}.",
        f"**Answers**: {', '.join(f'`{name}`' for name in interface.outputs[:_SHOWN_INPUTS])}.",
        f"```sh\ncurl URL/invocations -H 'Content-Type: application/json' -d '{request}'\n```",
    )
    return "\n\n".join(paragraphs)[:_MAX_CHARACTERS]


def _step(interface: Interface, number: int) -> list[Any]:
    """Raw values of one step: means, first categories, times a step apart."""
    reading = interface.reading
    if not isinstance(reading, EncodedReading) or reading.is_plain:
        return [float(value) for value in interface.input_shift or (0.0,) * interface.input_size]
    recipe = reading.encoding.recipe
    middles = reading.middles
    ahead = [column for _ in recipe.ahead for column in recipe.known]
    values = [_value(column, middles) for column in (*recipe.columns, *ahead)]
    times = _times(reading, number) if isinstance(reading, WindowReading) else ()
    return [*times, *values]


def _value(column: InputColumn, middles: dict[str, float]) -> Any:
    if column.values is None:
        return middles.get(column.name, 0.0)
    return next(iter(column.values), None)


def _times(reading: WindowReading, number: int) -> tuple[Any, ...]:
    if not reading.encoding.recipe.needs_times:
        return ()
    assert reading.rows.times is not None
    time = _BEGIN + number * timedelta(hours=1)
    if reading.step is not None and reading.step.nanoseconds:
        begin = np.array([(_BEGIN - _EPOCH) // timedelta(microseconds=1) * 1_000])
        ahead = int(reading.step.ahead(begin, number)[0])
        time = _EPOCH + timedelta(microseconds=ahead // 1_000)
    return written(time, reading.rows.times)


def _series(interface: Interface) -> dict[str, Any]:
    """The name of a series that the model knows, where each has its own scale."""
    reading = interface.reading
    if not isinstance(reading, WindowReading):
        return {}
    each = next((scale.each for scale in reading.scales if scale.each), None)
    return {} if each is None else {"series": next(iter(each))}
