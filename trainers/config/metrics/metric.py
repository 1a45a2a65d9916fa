"""What a metric is: what it is made of, what it needs of data and loss, and how it is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from trainers.config.losses import LossType, Targets
from trainers.config.objective import Direction

if TYPE_CHECKING:
    from trainers.data.contract import Array, SequenceData

Sums = Mapping[str, "Array"]  # `(outputs or classes,)` each, by row name
Value = Callable[[Sums, "Pass"], "float | None"]


@dataclass(frozen=True)
class Pass:
    """What a pass over a part of the data knows beside its sums.

    Attributes:
        data: Whose part it is.
        loss: What is minimised.
        mean_loss: Its reduced mean, weights included.
        plain_loss: Its elements without weights, added up.
        elements: Valid target elements; more than 0.
        total_squares: `(outputs,)` SST of a part with numbers for targets, otherwise None.
        outputs: Which of the data's outputs it is about.
    """

    data: SequenceData
    loss: LossType
    mean_loss: float
    plain_loss: float
    elements: float
    total_squares: Array | None
    outputs: slice = field(default_factory=lambda: slice(None))

    @property
    def scale(self) -> Array:
        """Return `(outputs,)`: the target's own unit, in what sums of errors come in.

        Those of transformed targets come in own units.
        """
        import numpy as np

        linear = self.data.target_transform == "none"
        given = self.data.target_scale if linear else None
        whole = np.ones(self.data.output_size) if given is None else np.asarray(given, np.float64)
        return whole[self.outputs]

    @property
    def seasonal_errors(self) -> Array | None:
        """Return `(2, outputs)` as `SequenceData` has them."""
        given = self.data.seasonal_errors
        return None if given is None else given[:, self.outputs]

    def of_step(self, outputs: slice) -> Pass:
        """Return the same of one step of the horizon; the loss is still the whole's."""
        squares = None if self.total_squares is None else self.total_squares[outputs]
        return replace(self, total_squares=squares, outputs=outputs)


@dataclass(frozen=True)
class Judged:
    """Answers beside what is true, of all valid targets of a part, in its order.

    Attributes:
        predictions: `(targets, outputs)` in the targets' own units, or the probabilities of
            classes or labels.
        targets: `(targets, outputs)` in own units, labels of 0 and 1, or class ids `(targets,)`.
        mask: `(targets, outputs)`, True where an output counts; what it leaves out may be NaN. Of
            class ids `(targets,)`.
    """

    predictions: Array
    targets: Array
    mask: Array


@dataclass(frozen=True)
class Accumulator:
    """Sums that a pass adds up for metrics, in float64.

    Attributes:
        rows: Their names, unlike those of any other accumulator.
        code: `(seen, targets, mask, *arguments) -> (trials, rows, outputs)`, or `module:function`
            of it. `seen` is as `of` says, targets are `(trials, wanted, outputs)` or class ids
            `(trials, wanted)`; the mask is None or `(trials, wanted, outputs or 1)`, True where an
            element counts, and what it leaves out may be anything. It is captured, so no shape may
            depend on values.
        own_units: Whether answers and targets that are numbers come in in the target's own units;
            otherwise as the network was trained on them, unless they were transformed.
        of: What it sees of the network. `answers` `(trials, wanted, outputs)` are numbers or
            logits; `probabilities` are alike, of classes or labels; a `forecast` is a
            `trainers.learning.losses.Forecast` in own units, as the targets are then too; `losses`
            are the loss's elements, and the own unit of each, `(trials, wanted, outputs)` both.
        arguments: What `code` takes beside.
    """

    rows: tuple[str, ...]
    code: str | Callable[..., Any]
    own_units: bool = False
    of: Literal["answers", "probabilities", "forecast", "losses"] = "answers"
    arguments: tuple[float, ...] = ()


@dataclass(frozen=True)
class MetricType:
    """A metric of a pass over a part: from sums of the pass, or from all its answers.

    Attributes:
        sentence: What it is, for people.
        direction: What is better.
        unit: `target` is the targets' own; otherwise it is said as it stands.
        targets: The kinds of targets that have it.
        value: From the sums to the number; None where the data do not define it.
        sums: What it is made of.
        of_loss: Whether only losses that name it among their metrics have it.
        language: Whether it needs classes that are the vocabulary itself.
        each_epoch: Whether every epoch has it; otherwise a trial's end, and epochs where a sweep
            asks for it.
        by_step: Whether its sums tell it of each step of a horizon too, as `NAME/h1`.
        named: From WHAT to the metric `NAME/WHAT`, of one class or at one level; raises ConfigError
            where there is no such.
        lacks: Says what it needs and these data or this loss lack; None where it can be had.
        of_answers: `(Judged) -> number or None` instead of `value`, or `module:function` of it.
        undefined: Says what it needs and some targets lack, `(targets,)` class ids or `(targets,
            outputs)` in own units, NaN where masked; None where it is defined on them.
    """

    sentence: str
    direction: Direction
    unit: str
    targets: tuple[Targets, ...]
    value: Value | None = None
    sums: tuple[Accumulator, ...] = ()
    of_loss: bool = False
    language: bool = False
    each_epoch: bool = True
    by_step: bool = False
    named: Callable[[str, SequenceData], MetricType] | None = None
    lacks: Callable[[SequenceData, LossType], str | None] | None = None
    of_answers: str | Callable[..., Any] | None = None
    undefined: Callable[[Array], str | None] | None = None
