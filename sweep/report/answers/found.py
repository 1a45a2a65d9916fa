"""The best trial's answers to the test part, as its worker kept them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from sweep.log.finalists import answers_file, kept_place
from sweep.results.results import Results
from trainers.errors import CheckpointError

if TYPE_CHECKING:
    from trainers.data.contract import Array
    from trainers.use.kept_answers import KeptAnswers


@dataclass(frozen=True)
class Found:
    """Whose answers they are, and the answers.

    Attributes:
        trial: Its number.
    """

    trial: int
    kept: KeptAnswers

    @property
    def unit(self) -> str:
        """The targets' unit in brackets; empty where they have none."""
        return f" ({self.kept.units})" if self.kept.units else ""

    @property
    def errors(self) -> Array:
        """`(targets, outputs)` forecast less truth; NaN where an output is masked."""
        errors = self.kept.answers - self.kept.targets
        return errors if self.kept.mask is None else np.where(self.kept.mask, errors, np.nan)

    def place(self, number: int) -> str:
        """Return how people call a target: its series, and its time or its row."""
        kept = self.kept
        series = ""
        if kept.series_of is not None:
            series = f"{kept.series[int(kept.series_of[number])]}, "
        if kept.times is not None:
            return series + said_time(int(kept.times[number]))
        return f"{series}row {int(kept.origins[number])}"


def found_answers(results: Results) -> Found | None:
    """Return the answers of the best trial that has been evaluated; None where none were kept."""
    from trainers.use.kept_answers import KeptAnswers

    best = results.best()
    if best is None or not best.test:
        return None
    try:
        kept = KeptAnswers.read(answers_file(kept_place(results.folder, best.number)))
    except CheckpointError:
        return None  # the sweep is of an earlier release, or its folder was thinned out
    return Found(best.number, kept) if len(kept) else None


def said_time(nanoseconds: int) -> str:
    """Return a local time as people write it, without seconds that are zero."""
    moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")
