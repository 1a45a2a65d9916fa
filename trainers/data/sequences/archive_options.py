"""Options of `sequences`: which files, what their rows hold, how sequences are divided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trainers.data.classes import ClassWeights
from trainers.data.contract import Task
from trainers.data.division import shares_beside
from trainers.data.options import means, path_means, require, search_means
from trainers.data.reading import CaseFormat
from trainers.data.sequences.rows import RowColumns
from trainers.data.tables.columns import Missing

DEFAULT_SPLIT = (0.7, 0.15, 0.15)


@dataclass(frozen=True)
class SequencesOptions:
    """Which files, what their rows hold, and how sequences are divided."""

    path: str = field(
        metadata=path_means("file, or folder with NAME_TRAIN and NAME_TEST: then both are taken")
    )
    validation_path: str | None = field(
        default=None, metadata=path_means("file of the validation part; path is then train whole")
    )
    test_path: str | None = field(
        default=None, metadata=path_means("file of the test part; split then has two shares")
    )
    format: CaseFormat | None = field(
        default=None,
        metadata=means("ts, ucr (label, then values) or rows of a table; null: told by the file"),
    )
    task: Task | None = field(
        default=None, metadata=means("what the labels are; null: told by the file, or asked for")
    )
    target: str | None = field(
        default=None, metadata=means("rows: column of the labels, needed there")
    )
    steps: tuple[str, ...] | None = field(
        default=None,
        metadata=search_means(
            "rows: columns of the steps, as `t*`; null: every other one of numbers"
        ),
    )
    drop: tuple[str, ...] = field(
        default=(), metadata=search_means("rows: columns that are no steps")
    )
    split: tuple[float, ...] = field(
        default=DEFAULT_SPLIT,
        metadata=means("shares of train, validation and test; every part has the classes' mix"),
    )
    seed: int = field(default=0, metadata=means("seed of the split"))
    scaling: Literal["minmax", "standard", "none"] = field(
        default="standard", metadata=search_means("by dimension, fitted on training steps")
    )
    missing: Missing = field(
        default="error",
        metadata=search_means("mask: a step that misses a value is a gap; no label: dropped"),
    )
    class_weights: ClassWeights = field(
        default="none", metadata=search_means("none, balanced, or one number a class")
    )
    units: str = field(default="", metadata=means("the targets' unit, for tables"))

    def __post_init__(self) -> None:
        require(self.seed >= 0, "seed >= 0", "seed", self.seed)
        given = self.given_parts
        if given:
            shares_beside(self.split, DEFAULT_SPLIT, given)

    @property
    def columns(self) -> RowColumns:
        """The columns of rows."""
        return RowColumns(self.target, self.steps, self.drop)

    @property
    def given_parts(self) -> dict[str, str]:
        """The parts that have a file of their own, and what names it."""
        paths = {"validation": self.validation_path, "test": self.test_path}
        return {part: path for part, path in paths.items() if path is not None}
