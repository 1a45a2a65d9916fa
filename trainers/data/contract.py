"""The one sequence contract: what every data source fills and every trial trains on.

Shapes: `inputs (sequences, time, features)` float, or token ids `(sequences, time)`;
`targets (sequences, time, outputs)` float, or class ids `(sequences, time)`. Both masks are bool,
`True` = this step exists; `None` = all steps do. `resets (sequences, time)` marks the steps before
which a carried state is cleared. Arrays may be views (windows over one long series, a target
broadcast over time): views stay views when a set is pickled, so that one `ray.put` of the series
serves every worker (`views.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from trainers.data.finding import Finding
from trainers.data.reading import Reading
from trainers.data.views import Array, Picked, compact, owners, restored

__all__ = [
    "Array", "Picked", "SequenceData", "SequenceSet", "TargetTransform", "Task", "Walk",
    "array_bytes",
]  # fmt: skip

Task = Literal["regression", "classification"]
Walk = Literal["sequences", "stream"]
TargetTransform = Literal["none", "log1p"]


@dataclass(frozen=True)
class SequenceSet:
    """One part (train, validation or test) of a data set, in the sequence contract.

    Attributes:
        inputs: `(sequences, time, features)` float32, or `(sequences, time)` integer token ids.
        targets: `(sequences, time, outputs)` float32, numbers or labels of 0 and 1, or
            `(sequences, time)` int64 class ids.
        input_mask: `(sequences, time)` bool or None.
        target_mask: `(sequences, time)` or `(sequences, time, outputs)` bool, or None.
        resets: `(sequences, time)` bool, True where a document or series begins and the state must
            be cleared before this step; None = only at the first step of a sequence.
        origins: `(sequences,)` int64, where each sequence's targets come from in the data as read:
            the (first) target's row, or the sequence's number. None where the source has no such
            order. What is trained does not depend on it.
        series: `(sequences,)` int32, which of the data's `series` each window is of; None for one.
        rescale: `(sequences, 2, outputs)` float64, factor and offset of each sequence whose targets
            have a scale of their own: in the data's common one they are `targets * factor + offset`
            (`target_scale` and `target_shift` lead on to own units). Losses take targets as they
            are, metrics in the common scale. None = they are in it.
        ahead: `(sequences, horizon, features)` float32, what is known ahead of each forecast step,
            scaled, for a decoder; None where nothing is.
        latest: `(sequences, outputs)` float32 in own units, the newest value of each output's
            target that is known where the window ends, NaN for none: what persistence answers.
            None where a target's past is not told.
        season_ago: Likewise the newest known value a whole number of seasons before the target.
    """

    inputs: Array | Picked
    targets: Array | Picked
    input_mask: Array | Picked | None = None
    target_mask: Array | Picked | None = None
    resets: Array | None = None
    origins: Array | range | None = None
    series: Array | None = None
    rescale: Array | Picked | None = None
    ahead: Array | Picked | None = None
    latest: Array | Picked | None = None
    season_ago: Array | Picked | None = None

    def __len__(self) -> int:
        return int(self.inputs.shape[0])

    @property
    def time_steps(self) -> int:
        """Length of the time axis, padding included."""
        return int(self.inputs.shape[1])

    def __getstate__(self) -> dict[str, Any]:
        return {name: compact(getattr(self, name)) for name in _FIELDS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name in _FIELDS:
            object.__setattr__(self, name, restored(state.get(name)))


@dataclass(frozen=True)
class Category:
    """A feature that holds a category's id as a whole number: 0 is unknown, 1 the first value.

    Attributes:
        feature: Which feature.
        name: Of its column.
        values: The training part's values, by id from 1 on.
        embedding_size: Numbers of the vector that a network makes of it, unless settings say other.
    """

    feature: int
    name: str
    values: tuple[str, ...]
    embedding_size: int


@dataclass(frozen=True)
class SequenceData:
    """A data set: its parts, its sizes and what is needed to read its predictions.

    Attributes:
        name: Short name, shown in tables.
        task: What the targets are; chooses default loss, metrics and objective.
        input_size: Features of one step; for token ids the size of the vocabulary.
        output_size: Outputs of one step (classes for classification).
        digest: SHA-256 over all rows of all parts, masks and scaling included.
        target_scale: `(outputs,)`; targets in their own units are `targets * scale + shift`.
        target_shift: `(outputs,)`; see `target_scale`.
        target_names: One name per output (regression) or per class (classification).
        units: Unit of the targets, as "Wh"; empty when they have none.
        one_target: True when every sequence has a single target, at its last valid step.
        notes: What a person should know (dropped rows, split boundaries), one line each.
        vocabulary_size: Number of token ids where inputs are ids, None where they are features.
        walk: `sequences` are independent; a `stream`'s parts are long series `(series, time)` that
            the trainer cuts into lanes, the state carried to the end of the epoch.
        class_weights: `(classes,)` factors of the classes' loss; None for 1.
        tokens: The vocabulary, one text per token id, for decoding; empty when it has none.
        input_scale: `(features,)`; inputs are `(raw - input_shift) / input_scale`. None: as raw.
        input_shift: `(features,)`; see `input_scale`.
        input_names: One name per feature; empty when they have none.
        series: Names of the series that windows are of; empty for one.
        reading: How raw tables or texts become inputs; None where the source does not say.
        categories: The features that hold categories' ids, ascending.
        ids: Names of whole sequences, by part; of windows `origins` and `series` tell.
        findings: What is suspicious about the data, the gravest first; no part of the digest.
        pairs: Whether each sequence has an answer of its own length, as a sentence its translation:
            step t of `targets` is then step t of the answer, under `target_mask`, and no step of
            the inputs, which end as `input_mask` says. Both share an axis as long as the longer.
        horizon: Steps that are forecast at once: outputs are step by step, `output_size / horizon`
            targets each.
        past_targets: Which features hold the targets' own past, scaled alike, one for each target
            of a step; empty where inputs do not have all of them.
        season: Steps of a season, m; None where there is none.
        seasonal_errors: `(2, outputs)` float64 in own units: the means of |y_t - y_{t-m}| and of
            its square over the training part (m = 1 without a season; Hyndman & Koehler 2006).
            None where a target's past is not told.
        target_transform: What was done to targets before they were scaled; it is undone after
            scale and shift.
        times: `(rows,)` int64, nanoseconds since 1970 by the local clock of the rows that `origins`
            count; a range where rows are even, None where they have no time.
        origin: Of a fold of rows in time: the time, or else the number, of the first row that
            it is judged by; otherwise empty.
    """

    name: str
    task: Task
    train: SequenceSet
    validation: SequenceSet
    test: SequenceSet | None
    input_size: int
    output_size: int
    digest: str
    target_scale: Array | None = None
    target_shift: Array | None = None
    target_names: tuple[str, ...] = ()
    units: str = ""
    one_target: bool = False
    notes: tuple[str, ...] = field(default=())
    vocabulary_size: int | None = None
    walk: Walk = "sequences"
    class_weights: Array | None = None
    tokens: tuple[str, ...] = ()
    input_scale: Array | None = None
    input_shift: Array | None = None
    input_names: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    reading: Reading | None = None
    categories: tuple[Category, ...] = ()
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    pairs: bool = False
    horizon: int = 1
    past_targets: tuple[int, ...] = ()
    season: int | None = None
    seasonal_errors: Array | None = None
    target_transform: TargetTransform = "none"
    times: Array | range | None = None
    origin: str = ""

    @property
    def category_embeddings(self) -> tuple[tuple[int, ...], ...]:
        """Feature, rows and size of each category's embedding, as the setting has them."""
        return tuple((c.feature, len(c.values) + 1, c.embedding_size) for c in self.categories)

    def parts(self) -> dict[str, SequenceSet]:
        """The parts that exist, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in named.items() if part is not None}


_FIELDS = (
    "inputs", "targets", "input_mask", "target_mask", "resets", "origins", "series", "rescale",
    "ahead", "latest", "season_ago",
)  # fmt: skip


def array_bytes(*data_sets: SequenceData) -> int:
    """Return the memory of data sets' arrays in bytes; what views share counts once."""
    arrays = (
        getattr(part, name)
        for data in data_sets
        for part in data.parts().values()
        for name in _FIELDS
    )
    held = [a for a in arrays if a is not None and not isinstance(a, range)]
    found = {id(own): own.nbytes for a in held for own in owners(a)}
    return sum(found.values())
