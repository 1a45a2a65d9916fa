"""Child process: the same trials through Ray Tune + OptunaSearch + its MLflow callback.

Nothing is asked of Tune that the product does not do: one report an epoch, one checkpoint at a
trial's end, no progress table. Searcher, space, data and training code are the product's sweep's.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import optuna
import ray
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.tune.search.optuna import OptunaSearch

from tests.benchmarks.process_tree import answer, arguments
from tests.benchmarks.workload import FREE, METRIC, TRAIN, load, new_pack


class Trial(tune.Trainable):
    """One trial; an actor that is reused takes the next one's configuration."""

    def setup(self, config: dict[str, Any], data: Any = None, epochs: int = 1) -> None:
        import torch

        torch.set_num_threads(1)
        self._data, self._epochs = data, epochs
        self._begin(config)

    def step(self) -> dict[str, Any]:
        report = self._pack.train(0)
        metrics = {f"train/{name}": value for name, value in report.train.items()}
        metrics |= {f"validation/{name}": value for name, value in report.validation.items()}
        return {**metrics, METRIC: report.validation[METRIC], "done": report.ended}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        self._pack.save(0, Path(checkpoint_dir) / "trial.safetensors")

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._begin(new_config)
        return True

    def _begin(self, config: dict[str, Any]) -> None:
        from trainers.config.train_config import TrainConfig

        values = {**TRAIN, "max_epochs": self._epochs, **config}
        self._pack = new_pack(self._data, TrainConfig.from_mapping(values))


class _Ends(tune.Callback):
    """Writes down when trials began and ended."""

    def __init__(self) -> None:
        self.began: list[float] = []
        self.ended: list[float] = []

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.began.append(time.time())

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.ended.append(time.time())


def _space() -> dict[str, Any]:
    return {
        name: optuna.distributions.FloatDistribution(
            float(d["low"]), float(d["high"]), log=bool(d.get("log", False))
        )
        for name, d in FREE.items()
    }


def main() -> None:
    given = arguments(sys.argv)
    directory = Path(given["directory"])
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ray.init(
        num_cpus=given["workers"],
        include_dashboard=False,
        logging_level="error",
        log_to_driver=False,
    )
    ends = _Ends()
    sampler = optuna.samplers.TPESampler(seed=0, multivariate=True)
    search = OptunaSearch(space=_space(), metric=METRIC, mode="min", sampler=sampler)
    store = f"sqlite:///{directory / 'mlflow.db'}"
    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(Trial, data=load(), epochs=given["epochs"]), {"cpu": 1}
        ),
        tune_config=tune.TuneConfig(
            search_alg=search,
            num_samples=given["trials"],
            max_concurrent_trials=given["workers"],
            metric=METRIC,
            mode="min",
            reuse_actors=given["reuse_actors"],
        ),
        run_config=tune.RunConfig(
            storage_path=str(directory),
            verbose=0,
            callbacks=[ends, MLflowLoggerCallback(tracking_uri=store, experiment_name="bench")],
        ),
    )
    results = tuner.fit()
    answer({"ended": sorted(ends.ended), "began": sorted(ends.began), "errors": results.num_errors})
    ray.shutdown()


if __name__ == "__main__":
    main()
