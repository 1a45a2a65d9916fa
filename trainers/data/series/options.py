"""Which file, which columns, and how windows over long series are cut, encoded and scaled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from trainers.data.classes import ClassWeights
from trainers.data.contract import TargetTransform, Task
from trainers.data.division import require_shares, require_two_shares
from trainers.data.features.filling import Fill
from trainers.data.features.input_columns import CategoryEncoding, ColumnRules
from trainers.data.options import means, path_means, require, search_means
from trainers.data.scaling import Scaling
from trainers.data.series.cutting import Geometry
from trainers.data.series.rows import RowOptions
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.times.aggregation import How
from trainers.data.times.cycles import Cycle
from trainers.data.times.options import TimeOptions, Unit
from trainers.errors import DataError

Missing = Literal["error", "mask", "fill"]

_DEFAULT_SPLIT = (0.7, 0.15, 0.15)
_DATES = ("validation", "test")


@dataclass(frozen=True)
class WindowOptions:
    """The `csv` source's options: reading, time, series, columns, windows, parts, scaling."""

    path: str = field(metadata=path_means("a table, one row a time step: CSV, Parquet, Excel …"))
    target: tuple[str, ...] = field(metadata=means("column(s) to predict"))
    task: Task | None = field(
        default=None,
        metadata=means("regression, or classification: a label a window; null: numbers"),
    )
    test_path: str | None = field(
        default=None, metadata=path_means("rows of the test part; split then has two shares")
    )
    reading: ReadingOptions = field(
        default=ReadingOptions(), metadata=means("how the file is read; null: as it looks")
    )
    inputs: tuple[str, ...] | None = field(
        default=None,
        metadata=search_means(
            "input columns; null: every one of numbers or names, past targets too"
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
    time_column: tuple[str, ...] | None = field(
        default=None, metadata=means("column of times, or columns to be joined: [date, time]")
    )
    time_format: str | None = field(
        default=None, metadata=means("as strptime has it, %d/%m/%Y %H:%M; null: as it looks")
    )
    time_zone: str | None = field(
        default=None, metadata=means("local clock of times and calendar, as Europe/Berlin")
    )
    time_unit: Unit | None = field(
        default=None, metadata=means("of times that are numbers, since 1970")
    )
    repeated_hour: Literal["first", "second"] | None = field(
        default=None, metadata=means("which one is meant of the hour that comes twice in autumn")
    )
    sort: bool = field(default=False, metadata=means("put rows in order of time"))
    duplicates: Literal["error"] | How = field(
        default="error", metadata=means("rows of the same time: refused, or made one")
    )
    resample: str | None = field(
        default=None, metadata=means("even steps, as 1h or 1D; absent ones are missing")
    )
    aggregate: How | dict[str, How] = field(
        default="mean", metadata=means("of numbers under resample; or {column: sum}")
    )
    elapsed: bool = field(
        default=False,
        metadata=search_means("time since the row before as an input, in usual steps"),
    )
    calendar: bool | tuple[Cycle, ...] = field(
        default=False,
        metadata=search_means("hour, week, month, year as waves; true: those that fit the step"),
    )
    holidays: str | None = field(
        default=None, metadata=search_means("public holidays as an input known ahead: DE, or DE-BY")
    )
    series: tuple[str, ...] | None = field(
        default=None, metadata=means("column(s) that tell series in one file apart")
    )
    wide: str | None = field(
        default=None, metadata=means("a row a series: pattern of the columns that are steps, d_*")
    )
    static: tuple[str, ...] | None = field(
        default=None, metadata=means("inputs that are constant in a series; null: those that are")
    )
    input_steps: int = field(default=24, metadata=search_means("length of a window in rows"))
    output_steps: int = field(default=1, metadata=means("rows predicted at once"))
    steps_ahead: int | None = field(
        default=None,
        metadata=means("rows from the last input to the first target; null: 1, for classes 0"),
    )
    targets: Literal["last", "every"] = field(
        default="last", metadata=means("predict at a window's last step, or at every step")
    )
    known_ahead: tuple[str, ...] = field(
        default=(),
        metadata=search_means(
            "columns known in advance: their values at the target rows are inputs too"
        ),
    )
    missing: Missing = field(
        default="error", metadata=search_means("values: refused; a gap each row; or filled")
    )
    fill: Fill | dict[str, Fill] = field(
        default="forward", metadata=search_means("forward, linear, mean; or {column: mean}")
    )
    indicator: bool = field(
        default=True, metadata=search_means("under fill: which values were missing, as inputs")
    )
    stride: int = field(default=1, metadata=search_means("rows from one window to the next"))
    split: tuple[float, ...] | dict[str, Any] = field(
        default=_DEFAULT_SPLIT,
        metadata=means("shares in time; {validation: date, test: date}; or {column: name}"),
    )
    split_by: Literal["time", "series"] = field(
        default="time", metadata=means("parts follow in time in each series, or are whole series")
    )
    embargo: int = field(default=0, metadata=means("rows left out after a part's boundary"))
    seed: int = field(default=0, metadata=means("of the split by series"))
    scaling: Scaling = field(
        default="standard",
        metadata=search_means("fitted on training rows; metrics are in own units"),
    )
    scale_by: Literal["all", "series"] = field(
        default="all", metadata=search_means("one scale for all series, or one for each")
    )
    class_weights: ClassWeights = field(
        default="none", metadata=means("none, balanced, or one number a class")
    )
    scale_targets: bool = field(
        default=True, metadata=means("false: targets as they are, which losses of counts need")
    )
    target_transform: TargetTransform | Literal["difference"] = field(
        default="none",
        metadata=search_means(
            "log1p, of targets > -1; or difference from the newest known value; undone"
        ),
    )
    units: str = field(default="", metadata=means("the targets' unit, for tables"))

    def __post_init__(self) -> None:
        _check_measures(self)
        _check_difference(self)
        _check_columns(self)
        _check_time(self)
        _check_split(self)

    @property
    def ahead(self) -> int:
        """Rows from the last input to the first target."""
        if self.steps_ahead is not None:
            return self.steps_ahead
        return 0 if self.task == "classification" else 1

    @property
    def geometry(self) -> Geometry:
        """The windows' measures."""
        return Geometry(
            input_steps=self.input_steps,
            output_steps=self.output_steps,
            steps_ahead=self.ahead,
            stride=self.stride,
            every_step=self.targets == "every",
        )

    @property
    def categories_or_none(self) -> tuple[str, ...]:
        """Columns that are said to be categories."""
        return self.categories or ()

    @property
    def column_rules(self) -> ColumnRules:
        """What input columns are to become."""
        fill = self.fill if self.missing == "fill" else None
        return ColumnRules(self.category_encoding, fill, self.indicator)

    @property
    def transform(self) -> TargetTransform:
        """What is done to each target by itself."""
        return "log1p" if self.target_transform == "log1p" else "none"

    @property
    def differs(self) -> bool:
        """Whether targets are changes from the newest known value."""
        return self.target_transform == "difference"

    @property
    def times(self) -> TimeOptions | None:
        """How times are read; None where there are none."""
        if self.time_column is None:
            return None
        return TimeOptions(
            self.time_column, self.time_format, self.time_zone, self.time_unit, self.repeated_hour
        )

    @property
    def rows(self) -> RowOptions:
        """What makes rows of the table rows of series."""
        return RowOptions(
            times=self.times,
            series=self.series,
            wide=self.wide,
            value=self.target[0],
            sort=self.sort,
            duplicates=self.duplicates,
            resample=self.resample,
            aggregate=self.aggregate,
            static=self.static or (),
        )

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of the parts in time, two of them beside a test part of its own."""
        split = self.split if isinstance(self.split, tuple) else _DEFAULT_SPLIT
        if self.test_path is None or len(split) == 2:
            return split
        return (split[0] / (split[0] + split[1]), split[1] / (split[0] + split[1]))


def _check_measures(options: WindowOptions) -> None:
    for name, least in (
        *(("input_steps", 1), ("output_steps", 1), ("stride", 1)),
        *(("steps_ahead", 0), ("embargo", 0), ("seed", 0), ("embedding_size", 1)),
    ):
        value = getattr(options, name)
        require(value is None or value >= least, f"{name} >= {least}", name, value)
    classes = options.task == "classification"
    fits = not classes or options.output_steps == 1
    require(fits, "one row of labels a window: output_steps == 1", "output_steps",
            options.output_steps)  # fmt: skip
    weighed = classes or options.class_weights == "none"
    require(weighed, "class_weights only for classes", "class_weights", options.class_weights)
    plain = not classes or options.target_transform == "none"
    require(plain, "target_transform only for numbers", "target_transform",
            options.target_transform)  # fmt: skip


def _check_difference(options: WindowOptions) -> None:
    if not options.differs:
        return
    for name, value, wanted in (
        ("targets", options.targets, "last"),
        ("steps_ahead", options.ahead, "1 or more"),
    ):
        if value in ("every", 0):
            raise DataError(
                "data.target_transform: difference is from the newest value that is known where a "
                f"window ends, but got data.{name}: {value}; set it to {wanted}, or "
                "data.target_transform: none."
            )


def _check_columns(options: WindowOptions) -> None:
    require(len(options.target) > 0, "at least one target", "target", list(options.target))
    if options.inputs is not None:
        require(len(options.inputs) > 0, "at least one input", "inputs", list(options.inputs))
    told = [name for name in options.known_ahead if name in options.target]
    if told:
        raise DataError(
            f"a target is not known ahead, but data.known_ahead names {told[0]!r}; leave it out."
        )
    if options.wide is not None and (len(options.target) > 1 or options.series is None):
        raise DataError(
            "data.wide needs one target, the name that the values get, and data.series, the "
            f"column of the series' names, but got target={list(options.target)}, "
            f"series={options.series}."
        )


def _check_time(options: WindowOptions) -> None:
    if options.time_column is None:
        for name in ("calendar", "holidays", "resample", "elapsed", "sort"):
            value = getattr(options, name)
            if value:
                raise DataError(
                    f"data.{name}={value!r} needs times: set data.time_column to their column."
                )
        if options.duplicates != "error":
            raise DataError(
                f"data.duplicates={options.duplicates} needs times: set data.time_column to "
                "their column."
            )


def _check_split(options: WindowOptions) -> None:
    split = options.split
    if options.split_by == "series" and options.series is None:
        raise DataError("data.split_by=series needs series: set data.series to their column.")
    if isinstance(split, tuple):
        if options.test_path is None or split != _DEFAULT_SPLIT:
            (require_shares if options.test_path is None else require_two_shares)(split)
        return
    dated = set(split) <= set(_DATES) and "validation" in split
    if not dated and set(split) != {"column"}:
        raise DataError(
            "data.split must be shares, {validation: date, test: date} or {column: name}, but got "
            f"{split!r}."
        )
    if options.split_by == "series":
        raise DataError(f"data.split_by=series needs shares, but got data.split={split!r}.")
    if dated and options.time_column is None:
        raise DataError("dates in data.split need times: set data.time_column to their column.")
    if options.test_path is not None and "test" in split:
        raise DataError("data.test_path is the test part: leave test out of data.split.")
