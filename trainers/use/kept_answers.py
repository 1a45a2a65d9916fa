"""What a finalist says of the test part, kept in a file: for pictures, tables and own analyses.

Free of torch. One safetensors file, so anything reads it; texts are in its metadata as JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from trainers.data.contract import Array, Task
from trainers.errors import CheckpointError

MOST_NUMBERS = 400_000  # of each array: the newest targets are kept
_TEXTS = ("task", "names", "units", "series", "horizon", "levels", "left_out")
_ARRAYS = (
    "targets", "answers", "mask", "low", "high", "origins", "steps", "series_of", "times",
)  # fmt: skip


@dataclass(frozen=True)
class KeptAnswers:
    """Targets of a part and what one network says of them, in own units, in the part's order.

    Attributes:
        task: Of the data.
        names: One per output, or per class.
        units: Of the targets; empty where they have none.
        series: Names of the series that targets are of; empty for one.
        horizon: Forecast steps among the outputs, see `SequenceData.horizon`.
        levels: Of the intervals, ascending; empty where there are none.
        targets: `(targets, outputs)` numbers or labels; class ids `(targets,)`.
        answers: `(targets, outputs)` numbers, or probabilities.
        mask: `(targets, outputs)` bool where single outputs are masked, otherwise None.
        low: `(levels, targets, outputs)` lower ends of intervals, or None.
        high: Likewise, upper ends.
        origins: `(targets,)` as `SequenceSet.origins`, or the sequence's number in the part.
        steps: `(targets,)` each one's step in its sequence.
        series_of: `(targets,)` which of `series` each is of, or None.
        times: `(targets,)` local nanoseconds since 1970 of each one's (first) row, or None.
        left_out: Older targets that were not kept, for want of room.
    """

    task: Task
    names: tuple[str, ...]
    units: str
    series: tuple[str, ...]
    horizon: int
    levels: tuple[float, ...]
    targets: Array
    answers: Array
    origins: Array
    steps: Array
    mask: Array | None = None
    low: Array | None = None
    high: Array | None = None
    series_of: Array | None = None
    times: Array | None = None
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.targets)

    def newest(self, numbers: int = MOST_NUMBERS) -> KeptAnswers:
        """Return as many of the last targets as have at most `numbers` answers."""
        count = max(1, numbers // self.answers.shape[1])
        if count >= len(self):
            return self
        shorter: dict[str, Any] = {}
        for name in _ARRAYS:
            whole = getattr(self, name)
            if whole is not None:
                shorter[name] = whole[:, -count:] if name in ("low", "high") else whole[-count:]
        return replace(self, **shorter, left_out=self.left_out + len(self) - count)

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        texts = {name: json.dumps(getattr(self, name)) for name in _TEXTS}
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        kept = {name: np.ascontiguousarray(a) for name, a in arrays.items() if a is not None}
        content: bytes = save(kept, metadata=texts)
        return content

    @classmethod
    def read(cls, path: Path) -> KeptAnswers:
        """Read such a file.

        Raises:
            CheckpointError: it is missing or damaged.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                texts = {name: json.loads(file.metadata()[name]) for name in _TEXTS}
                values: dict[str, Any] = {
                    name: tuple(value) if isinstance(value, list) else value
                    for name, value in texts.items()
                }
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return cls(**values, **arrays)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"the answers in {path} can't be read: {error!r}.") from error
