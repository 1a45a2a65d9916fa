"""Recorded learning curves: whole, unpruned, of configurations drawn at random from a preset.

One JSON file a task in `curves/`, written by `record_curves` and replayed by `pruning_simulator`.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("curves")


@dataclass(frozen=True)
class Curve:
    """One trial, trained to its end.

    Attributes:
        params: What was drawn from the space.
        seed: The trial's training seed.
        values: The objective's validation metric by epoch; short where the trial diverged.
    """

    params: dict[str, Any]
    seed: int
    values: list[float]


@dataclass
class Recording:
    """All curves of one task.

    Attributes:
        how: What was trained: preset, overrides of its file, library versions.
        replicates: The best trial's configuration again, with other seeds.
    """

    task: str
    metric: str
    sign: float
    max_epochs: int
    how: dict[str, Any]
    trials: list[Curve] = field(default_factory=list)
    replicates: list[Curve] = field(default_factory=list)

    def best(self, curve: Curve) -> float:
        """Return a curve's best value, to be minimised."""
        return min((self.sign * value for value in curve.values), default=float("inf"))

    @property
    def best_trial(self) -> Curve:
        """The trial of the best value; the first of several."""
        return min(self.trials, key=self.best)

    @property
    def seed_deviation(self) -> float:
        """Return how far one configuration's best values lie apart by their seeds alone."""
        return statistics.stdev(map(self.best, self.replicates))


def path_of(task: str) -> Path:
    """Return the file of a task's curves."""
    return FOLDER / f"{task}.json"


def load(path: Path) -> Recording:
    """Read a recording."""
    values = json.loads(path.read_text(encoding="utf-8"))
    for name in ("trials", "replicates"):
        values[name] = [Curve(**curve) for curve in values[name]]
    return Recording(**values)


def save(recording: Recording, path: Path) -> None:
    """Write a recording, a curve a line; the file is replaced as a whole."""
    values = asdict(recording)
    curves = {name: values.pop(name) for name in ("trials", "replicates")}
    parts = [f'"{name}": {json.dumps(value)}' for name, value in values.items()]
    for name, rows in curves.items():
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        parts.append(f'"{name}": [\n{lines}\n]')
    written = path.with_suffix(".part")
    written.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    written.replace(path)
