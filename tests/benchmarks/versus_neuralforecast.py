"""neuralforecast's AutoLSTM and AutoGRU: `python -m tests.benchmarks.versus_neuralforecast`.

The same panel, parts, horizon, levels, wall time and cores, in turn: one sweep of ours over both
cells, then each of theirs with the whole budget for itself. Theirs searches its own space with its
own random search, a core a trial, and trains its winner anew on training and validation rows
outside the budget; ours is judged as trained, on training rows. Ours prunes: a trial counts that
was trained to its end or stopped by halving; complete ones stand beside. Coverage is that of the
0.8 interval as each platform gives it, ours calibrated on the validation part.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from tests.benchmarks import figures, neuralforecast_environment
from tests.benchmarks.figures import ROOT, Figure
from tests.benchmarks.forecast_panel import HORIZON, LEVELS, Panel, panel, score, source
from tests.benchmarks.neuralforecast_environment import NotInstalled
from tests.benchmarks.process_tree import environment

_INTERVAL = 0.8
_INPUT_HOURS = 72
_WORKERS = 2
_MODELS = ("AutoLSTM", "AutoGRU")


def measure(quick: bool) -> Sequence[Figure]:
    if not source().exists():
        print(f"versus_neuralforecast: no data in {source()}; set RNN_SWEEP_TEST_DATA.")
        return []
    try:
        python = neuralforecast_environment.interpreter()
        version = neuralforecast_environment.version(python)
    except NotInstalled as error:
        print(f"versus_neuralforecast: {error}")
        return []
    seconds = 60 if quick else 240
    with tempfile.TemporaryDirectory() as folder:
        given = panel(source())
        given.rows.to_csv(Path(folder) / "panel.csv", index=False)
        ours = _ours(given, Path(folder), seconds)
        theirs = {name: _theirs(given, Path(folder), seconds, name, python) for name in _MODELS}
    print(json.dumps({"ours": ours, **theirs, "neuralforecast": version}), flush=True)
    return [row for name in _MODELS for row in _rows(name, ours, theirs[name])]


def _rows(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> list[Figure]:
    trials = ours["trials"] / max(1, theirs["complete"])
    details = {"ours": ours, name: theirs}
    rows = [Figure(f"trials, against {name}", round(trials, 1), "x", 5, "more", details)]
    if "mae" not in theirs:  # no trial came to its first validation in the budget
        return rows
    for metric, label in (("mae", "MAE of the median"), ("pinball", "mean pinball")):
        ratio = round(ours[metric] / theirs[metric], 3)
        rows.append(Figure(f"test part, {label}: ours against {name}", ratio, "x", 1))
    off, theirs_off = (abs(found["coverage"] - _INTERVAL) for found in (ours, theirs))
    what = f"test part, points by which the 0.8 interval's coverage is off: ours less {name}"
    return [*rows, Figure(what, round(100 * (off - theirs_off), 1), "", 0)]


def _ours(given: Panel, folder: Path, seconds: int) -> dict[str, Any]:
    """Run the sweep as a person does, and let its best trial by validation forecast."""
    spec = folder / "panel.yaml"
    spec.write_text(yaml.safe_dump(_sweep(given, seconds)), encoding="utf-8")
    sweeps = ("--dir", str(folder / "sweeps"))
    _command("run", str(spec), *sweeps)
    states = [trial["state"] for trial in _json("results", "panel", "--format", "json", *sweeps)]
    recent = given.rows[given.rows["ds"] >= given.test - pd.Timedelta(hours=_INPUT_HOURS)]
    recent.to_csv(folder / "recent.csv", index=False)
    told = folder / "told.csv"
    asked = ("--interval", str(_INTERVAL), "--output", str(told))
    _command("predict", "panel", str(folder / "recent.csv"), *asked, *sweeps)
    forecasts = pd.read_csv(told, parse_dates=["ds"])
    forecasts["origin"] = forecasts["ds"] - pd.to_timedelta(forecasts["step"], unit="h")
    forecasts.columns = pd.Index([name.removeprefix("y_") for name in forecasts.columns])
    best = _json("best", "panel", "--format", "json", *sweeps)
    return {
        "trials": sum(state in ("complete", "pruned", "paused") for state in states),
        "complete": states.count("complete"),
        "coverage_of_its_quantiles": round(_raw_coverage(given, forecasts), 4),
        "best": best["params"],
        **asdict(score(given, forecasts)),
    }


def _raw_coverage(given: Panel, forecasts: pd.DataFrame) -> float:
    raw = forecasts.assign(low=forecasts[f"q{LEVELS[0]}"], high=forecasts[f"q{LEVELS[-1]}"])
    return score(given, raw).coverage


def _sweep(given: Panel, seconds: int) -> dict[str, Any]:
    return {
        "name": "panel",
        "data": {
            "source": "csv",
            "path": "panel.csv",
            "target": "y",
            "series": "unique_id",
            "time_column": "ds",
            "input_steps": _INPUT_HOURS,
            "output_steps": HORIZON,
            "stride": 6,
            "split": {"validation": str(given.validation), "test": str(given.test)},
        },
        "space": {"base": "forecasting"},
        "train": {
            "loss": "quantile",
            "quantiles": list(LEVELS),
            "batch_size": 64,
            "clip_norm": 1.0,
            "max_epochs": 9,
        },
        "search": {"objectives": [{"metric": "pinball"}], "pruning": {"rule": "halving"}},
        "budget": {"trials": 100_000, "hours": seconds / 3600},
        "finalists": {"interval": _INTERVAL},
        "run": {"workers": _WORKERS},
    }


def _theirs(given: Panel, folder: Path, seconds: int, name: str, python: Path) -> dict[str, Any]:
    """Let one of theirs search and forecast; without a trial that reported there is no score."""
    told, answer = folder / f"{name}.parquet", folder / f"{name}-answer.json"
    asked = {
        "model": name,
        "horizon": HORIZON,
        "level": round(100 * _INTERVAL),
        "workers": _WORKERS,
        "seconds": seconds,
        "folder": str(folder / name),
        "panel": str(folder / "panel.csv"),
        "freq": "h",
        "validation_rows": given.validation_rows,
        "test_rows": given.test_rows,
        "predictions": str(told),
        "answer": str(answer),
    }
    given_to_it = folder / f"{name}.json"
    given_to_it.write_text(json.dumps(asked), encoding="utf-8")
    driver = Path(__file__).with_name("drive_neuralforecast.py")
    variables = {k: v for k, v in environment().items() if k not in ("PYTHONPATH",)}
    _output([str(python), str(driver), str(given_to_it)], variables)
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if not told.exists():
        return found
    forecasts = pd.read_parquet(told)
    for level, column in zip(LEVELS, ("low", "median", "high"), strict=True):
        forecasts[f"q{level}"] = forecasts[column]
    return {**found, **asdict(score(given, forecasts))}


def _json(*words: str) -> Any:
    return json.loads(_command(*words))


def _command(*words: str) -> str:
    return _output([sys.executable, "-m", "sweep", *words], environment())


def _output(command: list[str], variables: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-3000:]}")
    return done.stdout


if __name__ == "__main__":
    figures.main({"versus_neuralforecast": measure}, __doc__ or "")
