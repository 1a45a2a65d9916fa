"""Child process of another interpreter: neuralforecast's AutoLSTM or AutoGRU on a panel.

It imports nothing of this project, and is told everything in a JSON file. Its search is the one a
user gets: its own search space, random search on Ray Tune, no scheduler, one core a trial. The
winner is trained anew, on training and validation rows, as it does by default; only the search
is bound by the budget.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(given: dict[str, Any]) -> None:
    import pandas as pd
    import ray
    import torch
    from neuralforecast import NeuralForecast, auto
    from neuralforecast.common._base_auto import RayOptions
    from neuralforecast.losses.pytorch import MQLoss
    from ray import air

    torch.set_num_threads(given["workers"])  # of the winner's training; ours may use as many
    ray.init(num_cpus=given["workers"], include_dashboard=False, log_to_driver=False)
    folder = given["folder"]
    model = getattr(auto, given["model"])(
        h=given["horizon"],
        loss=MQLoss(level=[given["level"]]),
        num_samples=10_000,
        time_budget=given["seconds"],
        ray_options=RayOptions(
            cpus=1, gpus=0, run_config=air.RunConfig(storage_path=folder, verbose=0)
        ),
    )
    panel = pd.read_csv(given["panel"], parse_dates=["ds"])
    began = time.monotonic()
    forecaster = NeuralForecast(models=[model], freq=given["freq"])
    try:
        found = forecaster.cross_validation(
            panel,
            val_size=given["validation_rows"],
            test_size=given["test_rows"],
            n_windows=None,
            step_size=1,
        )
    except RuntimeError as error:
        if "No best trial" not in str(error):
            raise
        answer = {"complete": 0, "reported": 0}  # none came to its first validation
    else:
        _told(found, given["model"], given["level"]).to_parquet(given["predictions"])
        answer = _trials(forecaster.models[0].results)
    seconds = round(time.monotonic() - began, 1)
    Path(given["answer"]).write_text(json.dumps({**answer, "seconds": seconds}))
    ray.shutdown()


def _told(found: Any, model: str, level: int) -> Any:
    """Return the rows as series, last known time, time, low, median and high."""
    names = {
        f"{model}-lo-{level}": "low",
        f"{model}-median": "median",
        f"{model}-hi-{level}": "high",
        f"{model}-lo-{level}.0": "low",
        f"{model}-hi-{level}.0": "high",
        "cutoff": "origin",
    }
    told = found.reset_index().rename(columns=names)
    return told[["unique_id", "origin", "ds", "low", "median", "high"]]


def _trials(results: Any) -> dict[str, Any]:
    """Return how many trials began, and how many came to their last step; and the winner."""
    each = [r for r in results if r.metrics and "time_total_s" in r.metrics]
    whole = [r for r in each if _steps(r.metrics) >= r.config["max_steps"]]
    best = results.get_best_result(metric="loss", mode="min").config
    plain = {k: v for k, v in best.items() if isinstance(v, int | float | str)}
    return {
        "begun": len(results),
        "reported": len(each),
        "complete": len(whole),
        "failed": results.num_errors,
        "best": plain,
        "last_reports": [round(r.metrics["time_total_s"], 1) for r in each],
    }


def _steps(metrics: dict[str, Any]) -> int:
    return 100 * int(
        metrics.get("training_iteration", 0)
    )  # it validates, and reports, every 100 steps


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
