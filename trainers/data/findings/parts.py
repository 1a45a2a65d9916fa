"""Parts of a data set held against each other: what validation and test bring that training lacks.

Ranges are those of some sequences, evenly from each part; classes are all counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trainers.data.classes import class_counts
from trainers.data.contract import Array, SequenceData, SequenceSet, TargetTransform
from trainers.data.finding import Finding
from trainers.data.findings.judged import evenly
from trainers.data.transforms import undone

_ELEMENTS = 200_000  # looked at in each part
_FEWEST = 10
_RARE = 5  # examples of a class
_UNEVEN = 10  # times as many of the largest class as of the smallest
_FAR = 3.0  # training standard deviations
_MOST_CLASSES = 1_000
_WAVES = ("_sin", "_cos")  # a calendar's: bounded whatever comes


@dataclass(frozen=True)
class Range:
    """One column's values in one part, in own units."""

    low: float
    high: float
    mean: float
    deviation: float


@dataclass(frozen=True)
class ColumnRanges:
    """One input or target, and its range in each part."""

    what: str
    name: str
    parts: dict[str, Range]
    outside: dict[str, float]
    """The share of a part's values that training's range lacks."""


def judge_classes(data: SequenceData) -> list[Finding]:
    """Classes of few examples, or of very unequal numbers."""
    counts = training_classes(data)
    if counts is None:
        return []
    rare = [f"{name!r} {count}" for name, count in counts.items() if count < _RARE]
    found = []
    if rare:
        more = f" and {len(rare) - 4} more" if len(rare) > 4 else ""
        text = (
            f"classes with fewer than {_RARE} examples in training: {', '.join(rare[:4])}{more}; "
            "bring more of them, give train a larger share of data.split, or leave them out"
        )
        found.append(Finding("classes", "doubtful", text))
    ordered = sorted(counts.items(), key=lambda item: item[1])
    (least, few), (most, many) = ordered[0], ordered[-1]
    if many > _UNEVEN * few > 0 and data.class_weights is None:
        text = (
            f"classes are uneven: {most!r} has {many} training examples, {least!r} {few}; "
            "data.class_weights: balanced weighs them alike"
        )
        found.append(Finding("classes", "note", text))
    return found


def training_classes(data: SequenceData) -> dict[str, int] | None:
    """Examples of each class in training, by name; None where targets are no such classes."""
    plain = data.task == "classification" and data.train.targets.ndim == 2
    stands_for_itself = data.one_target or data.vocabulary_size is None
    if not plain or not stands_for_itself or data.output_size > _MOST_CLASSES:
        return None
    counts = class_counts(data.train, data.output_size)
    names = data.target_names or tuple(map(str, range(data.output_size)))
    return dict(zip(names, counts.tolist(), strict=True))


def judge_ranges(data: SequenceData) -> list[Finding]:
    """Columns of which most values of a part lie where training has none."""
    found: dict[str, list[tuple[str, str]]] = {"input": [], "target": []}
    for column in column_ranges(data):
        said = next((said for part in column.parts if (said := _away(column, part))), None)
        if said is not None:
            found[column.what].append((column.name, said))
    return [
        Finding("shift", "doubtful", _shifted(what, columns))
        for what, columns in found.items()
        if columns
    ]


def _away(column: ColumnRanges, part: str) -> str | None:
    """How far a part is from training; None where it is near enough."""
    train, own = column.parts["train"], column.parts[part]
    away = abs(own.mean - train.mean)
    if column.outside[part] > 0.5:
        said = f"{column.outside[part]:.0%} of its values lie outside training's"
    elif train.deviation > 0 and away > _FAR * train.deviation:
        said = f"its mean is {away / train.deviation:.1f} standard deviations off"
    else:
        return None
    ends = [_rounded(end, train) for end in (own.low, own.high, train.low, train.high)]
    return (
        f"in the {part} part is {ends[0]} to {ends[1]}, in training {ends[2]} to {ends[3]}: {said}"
    )


def _rounded(value: float, train: Range) -> str:
    """A number without what single precision made of 0."""
    return f"{0.0 if abs(value) < 1e-6 * (train.high - train.low) else value:.4g}"


def _shifted(what: str, columns: list[tuple[str, str]]) -> str:
    (first, said), *others = columns
    more = f"; so it is with {', '.join(name for name, _ in others[:6])}" if others else ""
    more += f" and {len(others) - 6} more" if len(others) > 6 else ""
    way_out = "" if what == "target" else f"; data.drop: [{first}] leaves it out"
    return f"{what} {first!r} {said}{more}{way_out}"


def column_ranges(data: SequenceData) -> list[ColumnRanges]:
    """Ranges of inputs and of numbers to predict, in each part."""
    found = []
    for what, names, scales in _fields(data):
        samples = {
            name: _sample(part, what, scales, data.target_transform)
            for name, part in data.parts().items()
        }
        for place, name in enumerate(names):
            values = {part: sample[:, place] for part, sample in samples.items()}
            values = {part: own[np.isfinite(own)] for part, own in values.items()}
            if all(len(own) >= _FEWEST for own in values.values()) and name is not None:
                found.append(_ranges(what, name, values))
    return found


def _ranges(what: str, name: str, values: dict[str, Array]) -> ColumnRanges:
    train = values["train"]
    low, high = train.min(), train.max()
    slack = 1e-4 * (high - low)
    outside = {
        part: float(((own < low - slack) | (own > high + slack)).mean())
        for part, own in values.items()
    }
    parts = {
        part: Range(float(own.min()), float(own.max()), float(own.mean()), float(own.std()))
        for part, own in values.items()
    }
    return ColumnRanges(what, name, parts, outside)


def _fields(
    data: SequenceData,
) -> Iterator[tuple[str, list[str | None], tuple[Array, Array] | None]]:
    """Inputs and targets: their names, None for what has no range of its own, and scales."""
    if data.vocabulary_size is None:
        plain = data.input_names or tuple(f"feature {n}" for n in range(data.input_size))
        ids = {category.feature for category in data.categories}
        told = {*data.target_names} if data.task == "regression" else set()
        names = [
            None if n in ids or name.endswith(_WAVES) or name in told else name
            for n, name in enumerate(plain)
        ]
        yield "input", names, _pair(data.input_scale, data.input_shift)
    if data.task == "regression" and data.train.rescale is None:
        names = list(data.target_names or [f"output {n}" for n in range(data.output_size)])
        yield "target", names, _pair(data.target_scale, data.target_shift)


def _pair(scale: Array | None, shift: Array | None) -> tuple[Array, Array] | None:
    return None if scale is None or shift is None else (scale, shift)


def _sample(
    part: SequenceSet,
    what: str,
    scales: tuple[Array, Array] | None,
    transform: TargetTransform,
) -> Array:
    """Some existing steps of a part in own units, float64 `(steps, columns)`."""
    array = part.inputs if what == "input" else part.targets
    rows = evenly(len(part), max(1, _ELEMENTS // max(1, int(np.prod(array.shape[1:])))))
    values = np.array(array[rows], dtype=np.float64)
    mask = part.input_mask
    if what == "target" and part.target_mask is not None:
        mask = part.target_mask
    if mask is not None:
        values[~np.asarray(mask[rows])] = np.nan
    values = values.reshape(-1, values.shape[-1])
    values = values if scales is None else values * scales[0] + scales[1]
    return undone(values, transform) if what == "target" else values
