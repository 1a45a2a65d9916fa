"""What a naive forecast is: a name, and its answers at places of any part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.naive.places import Places

Answer = Callable[[SequenceSet, Places], Array]


@dataclass(frozen=True)
class NaiveForecast:
    """A forecast that was fitted on the training part.

    Attributes:
        name: As tables and files have it.
        about: What it says, for people.
        answer: From a part and places in it to `(targets, outputs)` in own units; logits for
            labels, logarithms of probabilities `(targets, classes)` for classes.
        note: What a person should know of the fit, as what was cut; empty for nothing.
    """

    name: str
    about: str
    answer: Answer
    note: str = ""


class NotPossible(Exception):
    """The data don't allow a forecast; the message says why, in a few words."""


class Fit(Protocol):
    """Fits a naive forecast to the training part."""

    def __call__(self, data: SequenceData, *, one_target: bool) -> NaiveForecast:
        """Return the forecast.

        Args:
            data: The whole.
            one_target: Whether only the last target of each sequence counts.

        Raises:
            NotPossible: the data don't allow it.
        """
        ...
