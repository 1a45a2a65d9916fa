"""Large tables, and many series against one: `python -m tests.benchmarks.long_series`.

A CSV file of two million rows, ten columns of numbers and one of times: what reading and windowing
take at their peak, in a process that has loaded a small table before, as a ratio to the columns in
float32; and how long `rnn-sweep plan` takes from its start to its end. Then an epoch over windows
of ten thousand series against one over as many windows of a single series.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from tests.benchmarks import figures
from tests.benchmarks.figures import ROOT, Figure
from tests.benchmarks.training_law import figure_of, interleaved
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data import load_data
from trainers.data.contract import SequenceData
from trainers.packs.pack import Pack

_COLUMNS, _STEPS = 10, 500
_INPUT_STEPS, _STRIDE = 24, 20


def measure(quick: bool) -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [
            *_large_table(folder, 200_000 if quick else 2_000_000, quick),
            _many_series(folder, 1_000 if quick else 10_000, 2 if quick else 7),
        ]


def _large_table(folder: Path, rows: int, quick: bool) -> Sequence[Figure]:
    table, tiny = folder / "large.csv", folder / "tiny.csv"
    write_table(table, rows)
    write_table(tiny, 2_000)
    loaded = [_loaded(tiny, table) for _ in range(1 if quick else 3)]
    least = min(loaded, key=lambda found: float(found["peak_mib"]))
    columns_mib = rows * _COLUMNS * 4 / 2**20
    plan, processor = min(_plan_seconds(table) for _ in range(1 if quick else 2))
    what = f"a CSV file of {rows:,} rows × {_COLUMNS} columns and a time"
    details = {"columns_mib": round(columns_mib, 1), "file_mib": table.stat().st_size >> 20}
    # What libraries take on the way is as large for a small table, which so shows nothing.
    most = None if quick else 3.0
    peak = round(least["peak_mib"] / columns_mib, 2)
    used = {"processor_seconds": round(processor, 2)}
    against = f"{what}: peak of loading against its columns in float32"
    all_of_plan = f"{what}: all of `rnn-sweep plan`"
    return [
        Figure(against, peak, "x", most, "less", least | details),
        Figure(all_of_plan, round(plan, 2), "s", 10.0, "less", used),
    ]


def write_table(path: Path, rows: int) -> None:
    """Write a table such as a meter's: a time a minute, and columns with three decimals."""
    import pyarrow as pa
    from pyarrow import csv

    rng = np.random.default_rng(0)
    daily = np.sin(np.arange(rows) * (2 * np.pi / 1440))
    columns: dict[str, Any] = {
        "time": pd.date_range("2006-12-16 17:24:00", periods=rows, freq="min").astype(str)
    }
    for number in range(_COLUMNS):
        values = 200 + 50 * daily + rng.normal(scale=20, size=rows)
        columns[f"c{number}"] = values.round(3)
    csv.write_csv(pa.table(columns), path)


def _loaded(tiny: Path, table: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        _output("tests.benchmarks.table_memory", str(tiny), str(table))
    )
    return {name: round(value, 2) for name, value in found.items()}


def _plan_seconds(table: Path) -> tuple[float, float]:
    """Wall seconds and processor seconds; the latter count on a busy machine."""
    sweep = table.with_suffix(".yaml")
    sweep.write_text(
        f"data: {{source: csv, path: {table.name}, target: c0, time_column: time, "
        "input_steps: 48}\ntrain: {cell: gru, hidden_size: 16}\n",
        encoding="utf-8",
    )
    began, spent = time.perf_counter(), _children_seconds()
    _output("sweep", "plan", str(sweep), "--dir", str(table.parent / "sweeps"))
    return time.perf_counter() - began, _children_seconds() - spent


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _output(module: str, *words: str) -> str:
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _many_series(folder: Path, series: int, pairs: int) -> Figure:
    """Epochs turn about: over many series, and over one of as many rows."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    values = np.random.default_rng(0).normal(size=(series * _STEPS, 2)).astype(np.float32)
    frame = pd.DataFrame(values, columns=["y", "x"])
    frame["name"] = np.repeat(np.arange(series), _STEPS)
    frame.to_parquet(folder / "series.parquet")
    many, one = _windows(folder, series, series="name"), _windows(folder, series, drop=["name"])
    if (len(many.train), len(many.validation)) != (len(one.train), len(one.validation)):
        raise RuntimeError("there must be as many windows of one series as of many.")
    packs = [_pack(data) for data in (many, one)]
    ratios = interleaved(lambda: packs[0].train(0), lambda: packs[1].train(0), pairs)
    what = f"an epoch over {series:,} series of {_STEPS} steps against one as long"
    return figure_of(what, ratios, 1.1, windows=len(many.train))


def _windows(folder: Path, count: int, **options: Any) -> SequenceData:
    """Two parts, of which a series alone has a few windows more; these are left out."""
    first = math.ceil(_INPUT_STEPS / _STRIDE)
    limit = count * (_STEPS * 4 // 5 // _STRIDE - first)
    common = {"path": "series.parquet", "target": "y", "input_steps": _INPUT_STEPS}
    shares = {"stride": _STRIDE, "split": [0.8, 0.2, 0.0]}
    return load_data("csv", {**common, **shares, **options}, base_dir=folder, limit=limit)


def _pack(data: SequenceData) -> Pack:
    settings = {"cell": "gru", "hidden_size": 16, "batch_size": 256, "max_epochs": 10_000}
    config = TrainConfig.from_mapping(settings)
    pack = Pack(config.structure(), data, Objective("rmse", "minimize"))
    pack.admit(0, config)
    return pack


if __name__ == "__main__":
    figures.main({"long_series": measure}, __doc__ or "")
