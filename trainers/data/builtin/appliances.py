"""Appliances energy: 19,735 ten-minute steps of one house's electricity, sensors and weather.

Candanedo, Feldheim & Deramaix, Energy and Buildings 140 (2017) 81-97; UCI dataset 374, CC BY 4.0.
The task is to forecast `Appliances` (Wh). Test RMSE over the chronological 70/15/15 split, one
step ahead: persistence 66.84 Wh, ridge on lags 60.08 Wh.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from trainers.data.builtin.download import RemoteFile, cache_folder, fetch
from trainers.data.contract import SequenceData, TargetTransform
from trainers.data.folds import Folds
from trainers.data.options import means, path_means, search_means
from trainers.data.series.options import WindowOptions
from trainers.data.series.windows import folds_from_table, windows_from_table
from trainers.data.source import Source
from trainers.data.tables.table import read_table

# The sum of the UCI archive's only member, and of the authors' own file on GitHub
# (LuisM78/Appliances-energy-prediction-data, commit e3e4c27).
UCI_FILE = RemoteFile(
    url="https://archive.ics.uci.edu/static/public/374/appliances+energy+prediction.zip",
    name="energydata_complete.csv",
    sha256="2820bf712ad0275cb18b85a05250926100d8e65ebb9f4d2d016ca91ea152a25d",
    zipped=True,
)
RANDOM_NOISE = ("rv1", "rv2")


@dataclass(frozen=True)
class AppliancesOptions:
    """The window options that make sense here; the file is downloaded unless `path` is given."""

    path: str | None = field(
        default=None,
        metadata=path_means("the file, read as it is; null: download UCI's, sum-checked"),
    )
    target: tuple[str, ...] = field(default=("Appliances",), metadata=means("column(s) to predict"))
    inputs: tuple[str, ...] | None = field(
        default=None,
        metadata=search_means("input columns; null: every numeric one, the target's too"),
    )
    drop: tuple[str, ...] = field(
        default=RANDOM_NOISE,
        metadata=search_means("columns to leave out of inputs; rv1, rv2 are noise"),
    )
    calendar: bool = field(default=True, metadata=search_means("add time of day and week"))
    input_steps: int = field(default=24, metadata=search_means("length of a window, in 10 minutes"))
    output_steps: int = field(default=1, metadata=means("rows predicted at once"))
    steps_ahead: int = field(
        default=1, metadata=means("rows from the last input to the first target")
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
    stride: int = field(default=1, metadata=search_means("rows from one window to the next"))
    split: tuple[float, ...] = field(
        default=(0.7, 0.15, 0.15), metadata=means("shares of train, validation and test, in time")
    )
    scaling: Literal["minmax", "standard", "none"] = field(
        default="standard", metadata=search_means("fitted on training rows; metrics are in Wh")
    )
    scale_targets: bool = field(
        default=True, metadata=means("false: in Wh as they are, which losses of counts need")
    )
    target_transform: TargetTransform | Literal["difference"] = field(
        default="none", metadata=search_means("log1p, or difference from the newest value; undone")
    )

    def __post_init__(self) -> None:
        self.windows(Path())

    def windows(self, path: Path) -> WindowOptions:
        """The same options for the general window source."""
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return WindowOptions(**{**own, "path": str(path), "time_column": ("date",), "units": "Wh"})


def load_appliances(options: AppliancesOptions, base_dir: Path) -> SequenceData:
    """Read the given file, or download UCI's, and cut it into windows.

    Raises:
        DataError: the file can't be had, or is not as it must be.
    """
    path = _path(options, base_dir)
    return windows_from_table(read_table(path), options.windows(path), name="appliances")


def load_appliances_folds(
    options: AppliancesOptions, base_dir: Path, folds: Folds
) -> list[SequenceData]:
    """Cut the same file into the windows of each fold.

    Raises:
        DataError: as `load_appliances`, or there are too few rows for so many folds.
    """
    path = _path(options, base_dir)
    return folds_from_table(read_table(path), options.windows(path), "appliances", folds)


def _path(options: AppliancesOptions, base_dir: Path) -> Path:
    if options.path is not None:
        return base_dir / Path(options.path).expanduser()
    return fetch(UCI_FILE, cache_folder())


APPLIANCES = Source(AppliancesOptions, load_appliances, load_folds=load_appliances_folds)
