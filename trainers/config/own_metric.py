"""A metric of the user's own: a function of predictions, targets and mask, carried as its text."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from trainers.config.metrics import Judged, MetricType
from trainers.config.objective import Direction
from trainers.errors import ConfigError
from trainers.own_code import module_of, reason

if TYPE_CHECKING:
    from trainers.data.contract import SequenceData

_TRIED = 16  # sequences
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnMetric:
    """A function `(predictions, targets, mask) -> float` of a file, which any process can run.

    Attributes:
        name: Of the function, and of the metric.
        path: Of its file, for messages.
        code: The file's text.
        direction: What is better: the function's attribute `direction`.
        unit: Of the value: its attribute `unit`.
    """

    name: str
    path: str
    code: str
    direction: Direction = "minimize"
    unit: str = "number"

    @property
    def entry(self) -> MetricType:
        """Return what a registry would hold of it."""
        file = self.path.rpartition("/")[2]
        return MetricType(
            f"{file}:{self.name}", self.direction, self.unit, ("values", "ids", "labels"),
            of_answers=self.value,
        )  # fmt: skip

    def value(self, judged: Judged) -> float | None:
        """Return what the function says; None where that is NaN.

        Raises:
            ConfigError: it raises, or returns no finite number.
        """
        try:
            found = _function(self)(judged.predictions, judged.targets, judged.mask)
        except Exception as error:
            raise ConfigError(f"metric {self.name} fails at {reason(self.path, error)}") from error
        return self.checked(found)

    def try_on(self, data: SequenceData) -> None:
        """Call the function on some of the validation part's targets as if they were foretold.

        Raises:
            ConfigError: it raises, or returns no finite number and no NaN.
        """
        import numpy as np

        from trainers.data.valid_targets import valid_targets

        targets = valid_targets(data, data.validation, _TRIED)
        if targets.ndim == 1:
            predictions = np.full((len(targets), data.output_size), 0.1 / data.output_size)
            predictions[np.arange(len(targets)), targets] += 0.9
        else:
            predictions = np.nan_to_num(targets).astype(np.float64)
        self.value(Judged(predictions, targets, ~np.isnan(targets)))

    def checked(self, found: Any) -> float | None:
        """Return a value that the function returned, held to what a metric is."""
        file = self.path.rpartition("/")[2]
        try:
            value = math.nan if isinstance(found, bool | str) else float(found)
            is_number = not isinstance(found, bool | str) and not math.isinf(value)
        except (TypeError, ValueError):
            is_number = False
        if not is_number:
            raise ConfigError(
                f"a metric must return a finite number, but {file}:{self.name} returned "
                f"{str(found)[:60]!r} ({type(found).__name__})."
            )
        if math.isnan(value):
            _say_once(f"{file}:{self.name} returned NaN, so the metric is absent there")
            return None
        return value


@cache
def _function(own: OwnMetric) -> Callable[..., Any]:
    found = getattr(module_of(own.path, own.code), own.name)
    assert callable(found)
    return found  # type: ignore[no-any-return]


@cache
def _say_once(line: str) -> None:
    _LOG.warning(line)
