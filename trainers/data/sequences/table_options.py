"""Options of `table`: which tables and columns, how labels stand to steps, who is in which part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trainers.data.classes import ClassWeights
from trainers.data.contract import TargetTransform, Task
from trainers.data.division import PARTS, shares_beside
from trainers.data.features.filling import Fill
from trainers.data.features.input_columns import CategoryEncoding, ColumnRules
from trainers.data.options import means, path_means, require, search_means
from trainers.data.sequences.alignment import Alignment
from trainers.data.tables.columns import Missing
from trainers.data.tables.reading_options import ReadingOptions
from trainers.errors import DataError

DEFAULT_SPLIT = (0.7, 0.15, 0.15)


@dataclass(frozen=True)
class TableOptions:
    """Which tables, which columns, how labels are aligned and sequences divided."""

    target: tuple[str, ...] = field(metadata=means("column(s) to predict; one for classification"))
    task: Task = field(metadata=means("what the targets are: numbers or classes"))
    path: str | None = field(
        default=None, metadata=path_means("long format: table of any format, one row a step")
    )
    folder: str | None = field(
        default=None, metadata=path_means("instead of path: folder or pattern, one file a sequence")
    )
    sequence: str | None = field(
        default=None, metadata=means("column of sequence ids, for a file of many sequences")
    )
    order: str | None = field(
        default=None, metadata=means("column of numbers or dates; null: rows as they come")
    )
    inputs: tuple[str, ...] | None = field(
        default=None,
        metadata=search_means(
            "input columns; null: all of numbers or of names that are nothing else"
        ),
    )
    drop: tuple[str, ...] = field(
        default=(), metadata=search_means("columns to leave out of inputs")
    )
    categories: tuple[str, ...] | None = field(
        default=None, metadata=means("columns of names, not numbers; null: those of texts")
    )
    category_encoding: CategoryEncoding = field(
        default="auto", metadata=search_means("auto: one_hot below 4 values, else embedding")
    )
    embedding_size: int | None = field(
        default=None, metadata=search_means("of a category of K values; null: min(50, 2·⌈√K⌉)")
    )
    labels: str | None = field(
        default=None,
        metadata=path_means(
            "targets' own file (ids in `sequence`) or folder (files of equal names)"
        ),
    )
    validation_path: str | None = field(
        default=None,
        metadata=path_means("file or folder of the validation part; path is then train whole"),
    )
    validation_labels: str | None = field(
        default=None, metadata=path_means("labels of validation_path, as labels of path")
    )
    test_path: str | None = field(
        default=None,
        metadata=path_means("file or folder of the test part; split then has two shares"),
    )
    test_labels: str | None = field(
        default=None, metadata=path_means("labels of test_path, as labels of path")
    )
    alignment: Alignment = field(
        default="equal", metadata=means("how labels stand to steps; one_label: one a sequence")
    )
    split: tuple[float, ...] = field(
        default=DEFAULT_SPLIT,
        metadata=means("shares of train, validation and test; whole sequences, test may be 0"),
    )
    split_column: str | None = field(
        default=None, metadata=means("instead of split: column of train, validation or test")
    )
    group: str | None = field(
        default=None,
        metadata=means("column of what sequences belong together, as a person: never divided"),
    )
    seed: int = field(default=0, metadata=means("seed of the split"))
    scaling: Literal["minmax", "standard", "none"] = field(
        default="standard",
        metadata=search_means("fitted on training steps; metrics are in own units"),
    )
    missing: Literal["error", "mask", "fill"] = field(
        default="error",
        metadata=search_means(
            "values: refused; a gap each row; or filled; a missing target is hidden"
        ),
    )
    fill: Fill | dict[str, Fill] = field(
        default="forward", metadata=search_means("forward, linear, mean; or {column: mean}")
    )
    indicator: bool = field(
        default=True, metadata=search_means("under fill: which values were missing, as inputs")
    )
    class_weights: ClassWeights = field(
        default="none", metadata=search_means("none, balanced, or one number a class")
    )
    scale_targets: bool = field(
        default=True, metadata=means("false: targets as they are, which losses of counts need")
    )
    target_transform: TargetTransform = field(
        default="none",
        metadata=search_means("log1p: of targets > -1, before scaling; metrics are in own units"),
    )
    units: str = field(default="", metadata=means("the targets' unit, for tables"))
    reading: ReadingOptions = field(
        default=ReadingOptions(), metadata=means("how the files are to be understood")
    )

    def __post_init__(self) -> None:
        if (self.path is None) == (self.folder is None):
            raise DataError(
                f"a table needs data.path or data.folder, but got path={self.path!r}, "
                f"folder={self.folder!r}; set one of them."
            )
        if self.path is not None and self.sequence is None:
            raise DataError("data.path needs the column of sequence ids: set data.sequence.")
        require(len(self.target) > 0, "at least one target", "target", list(self.target))
        one = self.task == "regression" or len(self.target) == 1
        require(one, "one target for classification", "target", list(self.target))
        weighed = self.task == "classification" or self.class_weights == "none"
        require(weighed, "class_weights only for classes", "class_weights", self.class_weights)
        plain = self.task == "regression" or self.target_transform == "none"
        require(plain, "target_transform only for numbers", "target_transform",
                self.target_transform)  # fmt: skip
        require(self.seed >= 0, "seed >= 0", "seed", self.seed)
        size = self.embedding_size
        require(size is None or size >= 1, "embedding_size >= 1", "embedding_size", size)
        self._check_given_parts()

    @property
    def column_rules(self) -> ColumnRules:
        """What input columns are to become."""
        fill = self.fill if self.missing == "fill" else None
        return ColumnRules(self.category_encoding, fill, self.indicator)

    @property
    def gaps(self) -> Missing:
        """Whether values that are missing are refused, once inputs are filled."""
        return "error" if self.missing == "error" else "mask"

    @property
    def given_parts(self) -> dict[str, str]:
        """The parts that have files of their own, and what names these files."""
        paths = {"validation": self.validation_path, "test": self.test_path}
        return {part: path for part, path in paths.items() if path is not None}

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of the parts that the sequences of path (or folder) are divided into."""
        return shares_beside(self.split, DEFAULT_SPLIT, self.given_parts)

    def _check_given_parts(self) -> None:
        _ = self.shares  # checks them
        if self.split_column is not None and self.given_parts:
            raise DataError(
                f"data.split_column names the parts of one file, but data."
                f"{next(iter(self.given_parts))}_path brings another; leave one of them out."
            )
        if self.group is not None and self.split_column is None and self.given_parts:
            raise DataError(
                f"data.group keeps sequences of one file together, but data."
                f"{next(iter(self.given_parts))}_path brings another; leave one of them out."
            )
        for part in PARTS[1:]:
            path, labels = getattr(self, f"{part}_path"), getattr(self, f"{part}_labels")
            wanted = path is not None and self.labels is not None
            if wanted != (labels is not None):
                raise DataError(
                    f"data.{part}_labels goes with data.{part}_path and data.labels, but got "
                    f"{part}_labels={labels!r}, {part}_path={path!r}, labels={self.labels!r}; "
                    f"{'set it' if wanted else 'leave it out'}."
                )
