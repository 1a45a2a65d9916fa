"""What forecasts of any horizon read: the newest window of a series, and its coming rows.

The forecast of a row is that of the window which ends `steps_ahead` rows before it, so windows that
end beyond the last known row read forecasts. Models of several `output_steps` go on in blocks of
so many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from trainers.data.contract import Array
from trainers.data.features.ahead import ahead_of_rows, ahead_of_steps
from trainers.data.features.encoding import Encoded, encode
from trainers.data.features.reading import Scales
from trainers.data.features.requests import SERIES, Asked
from trainers.data.series.coming import Coming, feed
from trainers.data.series.reading import WindowReading
from trainers.data.tables.columns import matrix
from trainers.errors import DataError


@dataclass(frozen=True)
class Fed:
    """An input that is a target: a forecast is scaled into it, `(own - shift) / scale`."""

    feature: int
    target: int
    scale: float
    shift: float


@dataclass(frozen=True)
class Course:
    """The newest window of a series and the rows that follow.

    Attributes:
        inputs: `(rows, features)` float32, scaled: the first window's rows, then those up to the
            end of the last one.
        present: `(rows,)` bool, rows that miss nothing.
        window: Rows of a window.
        block: Rows that are forecast at once.
        first: The coming row in `inputs` whose forecast is step 1; all before are known.
        fed: Inputs that are targets.
        key: What names the series, by column.
        places: What names each forecast row, by column.
        scales: Of the targets of this series; None where all share one.
        ahead: `(blocks, block, features)` float32, what a decoder knows of the rows of each block;
            None for nothing.
        base: `(targets,)` the newest known values, in own units before any transform, where
            forecasts are changes from them; otherwise None.
    """

    inputs: Array
    present: Array
    window: int
    block: int
    first: int
    fed: tuple[Fed, ...]
    key: dict[str, Any]
    places: tuple[dict[str, Any], ...]
    scales: Scales | None
    ahead: Array | None = None
    base: Array | None = None

    @property
    def steps(self) -> int:
        """How many steps are forecast."""
        return len(self.places)

    def windows_before(self, step: int, known: Array) -> list[Asked]:
        """Return what the block of forecasts after `step` steps reads, one window a path.

        Args:
            step: A multiple of `block`.
            known: `(paths, steps, targets)` forecasts in own units, of `step` steps at least.
        """
        rows = slice(step, step + self.window)
        inputs = np.repeat(self.inputs[None, rows], len(known), axis=0)
        first = max(self.first - step, 0)  # the window's first coming row, if it has one
        steps = slice(first + step - self.first, self.window + step - self.first)
        for one in self.fed if first < self.window else ():
            inputs[:, first:, one.feature] = (known[:, steps, one.target] - one.shift) / one.scale
        block = step // self.block
        ahead = None if self.ahead is None else self.ahead[block : block + 1]
        return [Asked(of, self.present[rows], self.scales, ahead) for of in inputs]


def check_numbers(reading: WindowReading) -> None:
    """Check that what is forecast can be fed back.

    Raises:
        DataError: it is classes, or a target that is an input of names.
    """
    if not reading.scales:
        raise DataError(
            "coming steps are forecast of numbers, which are fed back, but this network tells "
            f"classes of {reading.targets[0]!r}; predict without further steps."
        )
    if reading.changes and reading.encoding.recipe.steps_ahead > 1:
        raise DataError(
            "forecasts that are changes (data.target_transform: difference) are fed back from the "
            f"row before them, but the network was trained with data.steps_ahead="
            f"{reading.encoding.recipe.steps_ahead}; train with steps_ahead: 1."
        )
    for column in reading.encoding.recipe.columns:
        if column.name in reading.targets and column.values is not None:
            raise DataError(
                f"coming steps need forecasts as inputs, but the target {column.name!r} is an "
                "input of names; train with it as numbers (leave it out of data.categories)."
            )


def least_rows(reading: WindowReading) -> int:
    """Known rows that the first forecast needs."""
    return reading.input_steps + reading.encoding.recipe.steps_ahead - 1


def rows_needed(reading: WindowReading, steps: int) -> int:
    """Coming rows that so many steps take: whole blocks."""
    block = reading.encoding.recipe.output_steps
    return math.ceil(steps / block) * block


def courses_of(
    coming: Coming, reading: WindowReading, series: Sequence[int], steps: int
) -> Iterator[Course]:
    """Encode the rows of some series, and cut out their courses.

    Raises:
        DataError: a window has no row that misses nothing.
    """
    recipe, rows = reading.encoding.recipe, coming.rows
    feed(coming, [c.name for c in recipe.columns if c.name in reading.targets])
    bases = reading.bases(rows)
    encoded = encode(reading.encoding, rows)
    present = encoded.present & encoded.known
    ahead = _ahead(coming, reading, encoded)
    name = "+".join(reading.rows.series or ()) or SERIES
    for one in series:
        origin = int(coming.origins[one])
        begin = origin + 1 - least_rows(reading)
        end = origin + 1 + coming.count - recipe.output_steps + 1 - recipe.steps_ahead
        named = f" of {rows.names[one]}" if rows.names else ""
        windows = sliding_window_view(present[begin:end], reading.input_steps)
        if not windows[:: recipe.output_steps].any(axis=1).all():
            raise DataError(
                f"each window{named} needs a row that misses no input, but one of the newest "
                f"{reading.input_steps} or the coming rows has none; fill its gaps in."
            )
        yield Course(
            inputs=encoded.values[begin:end],
            present=present[begin:end],
            window=reading.input_steps,
            block=recipe.output_steps,
            first=origin + 1 - begin,
            fed=tuple(_fed(coming, reading, origin)),
            key={name: rows.names[one]} if rows.names else {},
            places=tuple(coming.place(reading, one, step) for step in range(1, steps + 1)),
            scales=reading.target_scales(rows, one),
            ahead=None if ahead is None else ahead[one],
            base=None if bases is None else bases[origin],
        )


def _ahead(coming: Coming, reading: WindowReading, encoded: Encoded) -> Array | None:
    """What is known ahead of each block of each series, `(series, blocks, block, features)`."""
    recipe, rows = reading.encoding.recipe, coming.rows
    of_blocks = coming.at.reshape(len(coming.at), -1, recipe.output_steps)
    if not rows.brings_ahead:
        found = ahead_of_rows(reading.encoding, rows)
        return None if found is None else found[of_blocks]
    found = ahead_of_steps(reading.encoding, rows.instants, encoded.values)
    return None if found is None else found[of_blocks[..., 0] - recipe.steps_ahead]


def _fed(coming: Coming, reading: WindowReading, row: int) -> Iterator[Fed]:
    """Yield the inputs that are targets, with the scales of a row's series."""
    encoding, rows, feature = reading.encoding, coming.rows, 0
    for column in encoding.recipe.columns:
        if column.name in reading.targets:
            values = matrix(rows.frame, [column.name], "mask")[:, 0]
            by = encoding.scales[feature].of_rows(values, rows, encoding.fit)
            scale, shift = (float(np.broadcast_to(one, len(values))[row]) for one in by)
            yield Fed(feature, reading.targets.index(column.name), scale, shift)
        feature += len(column.feature_names)
