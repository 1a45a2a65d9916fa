"""What `trainers.learning.optim` asks of an optimizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from torch import Tensor

from trainers.config.optimizers import OPTIMIZERS
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError
from trainers.registry import UnknownEntry, load_object

# Per-trial numbers of a step by name; a column `(trials, 1)`, or a plain number of one trial. What
# no trial makes use of is absent.
Columns = Mapping[str, Any]


class Rule(ABC):
    """One step, after clipping and weight decay."""

    @abstractmethod
    def numbers(
        self, configs: Sequence[TrainConfig], steps_done: Sequence[int], rates: Sequence[float]
    ) -> dict[str, list[float]]:
        """Return the numbers of a step by name, one per trial; what no trial needs is absent.

        A trial whose number is 0 where others have one must be stepped as if it were absent.
        """

    @abstractmethod
    def step(self, weights: Tensor, gradient: Tensor, moments: Tensor, columns: Columns) -> None:
        """Step `weights (trials, P)` and `moments (moments, trials, P)` in place.

        It is captured: it reads no number back.
        """


@cache
def rule_of(optimizer: str) -> Rule:
    """Return an optimizer's rule by name.

    Raises:
        ConfigError: its code can't be loaded, or is no rule.
    """
    try:
        code = load_object(OPTIMIZERS[optimizer].code)
    except UnknownEntry as error:
        raise ConfigError(str(error)) from error
    if not (isinstance(code, type) and issubclass(code, Rule)):
        raise ConfigError(f"the code of optimizer {optimizer} must be a class of Rule: {code!r}.")
    return code()
