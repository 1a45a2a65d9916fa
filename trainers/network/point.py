"""The answer that a head's outputs stand for: what metrics judge, and what a decoder feeds back."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from torch import Tensor

from trainers.config.losses import LOSSES
from trainers.config.train_config import Structure
from trainers.errors import ConfigError
from trainers.registry import UnknownEntry, load_object


def point(structure: Structure, outputs: Tensor) -> Tensor:
    """Return the answers `(…, outputs or classes)` in the outputs of a head `(…, ·)`."""
    loss = LOSSES[structure.loss]
    if loss.point is None:
        return outputs
    settings = loss.settings_of(structure)
    answers: Tensor = loaded(loss.point)(by_target(structure, outputs), **settings)
    return answers


def by_target(structure: Structure, outputs: Tensor) -> Tensor:
    """Return a head's outputs `(…, outputs · each)` as `(…, outputs, each)` where several are."""
    each = LOSSES[structure.loss].width(structure)
    return outputs if each == 1 else outputs.reshape(*outputs.shape[:-1], -1, each)


@cache
def loaded(place: str) -> Callable[..., Any]:
    """Return a loss's function or class.

    Raises:
        ConfigError: there is none there.
    """
    try:
        found = load_object(place)
    except UnknownEntry as error:
        raise ConfigError(f"a loss's code must be a function, but {error}.") from error
    assert callable(found)
    return found
