"""The losses by name, and what is known of each without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trainers.registry import Registry

if TYPE_CHECKING:
    from trainers.config.settings import StructuralSettings
    from trainers.data.contract import SequenceData, Task

Targets = Literal["values", "ids", "labels"]


@dataclass(frozen=True)
class LossType:
    """A loss: what it is minimised on, and what a network that minimises it answers.

    Attributes:
        sentence: What it is, for people.
        targets: Numbers; ids of classes that exclude each other; or labels that do not. The
            network answers with the same: numbers, a class, or a probability for each label.
        code: `module:function` `(outputs, targets, **settings) -> elements`. Outputs are `(trials,
            wanted, outputs)`, with a last axis of `outputs_per_target` where those are several;
            targets are alike, or ids `(trials, wanted)`. Elements are `(trials, wanted, outputs)`,
            or `(trials, wanted, 1)` for ids.
        metrics: Those that are the mean of its elements, or follow from that.
        outputs_per_target: What the network's head gives for each output or class: a number, or
            a function of the structural settings.
        point: `module:function` `((…, outputs, outputs_per_target), **settings) -> (…, outputs)`,
            the answer that metrics judge; needed where there are several.
        settings: The structural settings that its functions take.
        distribution: `module:class` of a `learning.losses.forecast.Forecast`, made of
            `((…, outputs, outputs_per_target), **settings)`; None where the answer is a point or a
            class.
        counts: Whether targets must be whole numbers >= 0, so neither scaled nor shifted.
    """

    sentence: str
    targets: Targets
    code: str
    metrics: tuple[str, ...] = ()
    outputs_per_target: int | Callable[[StructuralSettings], int] = 1
    point: str | None = None
    settings: tuple[str, ...] = ()
    distribution: str | None = None
    counts: bool = False

    @property
    def task(self) -> Task:
        """What it can be minimised for."""
        return "regression" if self.targets == "values" else "classification"

    def width(self, structure: StructuralSettings) -> int:
        """Return what the head gives for each output or class."""
        each = self.outputs_per_target
        return each if isinstance(each, int) else each(structure)

    def settings_of(self, structure: StructuralSettings) -> dict[str, Any]:
        """Return the settings that its functions take, by name."""
        return {name: getattr(structure, name) for name in self.settings}


_CODE = "trainers.learning.losses"


def _likelihood(of: str, place: str, outputs: int, *, counts: bool = False) -> LossType:
    """Return the loss of a distribution, a class of one of the losses' files."""
    found = f"{_CODE}.{place}"
    return LossType(
        f"negative log-likelihood of {of}", "values", f"{found}.elements", ("nll",), outputs,
        f"{found}.point", distribution=found, counts=counts,
    )  # fmt: skip


_OWN = {
    "mse": LossType("squared error", "values", f"{_CODE}.errors:squared"),
    "mae": LossType("absolute error", "values", f"{_CODE}.errors:absolute"),
    "huber": LossType("squared below 1, absolute above", "values", f"{_CODE}.errors:huber"),
    "quantile": LossType(
        "mean pinball loss of the levels in quantiles (Koenker & Bassett 1978)", "values",
        f"{_CODE}.quantiles:Quantiles.elements", ("pinball",),
        lambda structure: len(structure.quantiles), f"{_CODE}.quantiles:Quantiles.point",
        ("quantiles",), f"{_CODE}.quantiles:Quantiles",
    ),
    "gaussian": _likelihood("a normal distribution", "distributions:Gaussian", 2),
    "laplace": _likelihood("a Laplace distribution", "distributions:Laplace", 2),
    "student_t": _likelihood(
        "Student's t, more than 2 degrees of freedom", "distributions:StudentT", 3
    ),
    "poisson": _likelihood("a Poisson distribution, of counts", "counts:Poisson", 1, counts=True),
    "negative_binomial": _likelihood(
        "a negative binomial distribution, of counts", "counts:NegativeBinomial", 2, counts=True
    ),
    "cross_entropy": LossType(
        "negative log-likelihood of the class, in nats", "ids", f"{_CODE}.entropies:of_classes",
        metrics=("cross_entropy", "nats", "bits_per_character", "perplexity"),
    ),
    "focal": LossType(
        "cross-entropy that weighs easy answers less, by focal_gamma (Lin et al. 2017)", "ids",
        f"{_CODE}.entropies:focal", settings=("focal_gamma",),
    ),
    "binary_cross_entropy": LossType(
        "negative log-likelihood of each label, in nats", "labels", f"{_CODE}.entropies:of_labels"
    ),
}  # fmt: skip

LOSSES: Registry[LossType] = Registry("rnn_sweep.losses", "loss", LossType, _OWN)


def targets_of(data: SequenceData) -> Targets:
    """Return what kind of targets a data set has."""
    if data.task == "regression":
        return "values"
    return "ids" if data.train.targets.ndim == 2 else "labels"


def losses_for(data: SequenceData) -> tuple[str, ...]:
    """Return the losses that can be minimised on a data set, the default first."""
    kind = targets_of(data)
    return tuple(name for name, loss in LOSSES.items() if loss.targets == kind)
