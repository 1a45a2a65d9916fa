"""Every benchmark of the design's table: `python -m tests.benchmarks [--quick] [--write]`.

With `--gpu` only that of a CUDA device, which needs nothing but `trainers`.
"""

from __future__ import annotations

import sys
from importlib import import_module

from tests.benchmarks import bench_gpu, figures

_BENCHMARKS = (
    "busy_fraction",
    "processor_time",
    "versus_ray_tune",
    "versus_neuralforecast",
    "coordinator_cost",
    "log_rate",
    "sink_rate",
    "tracker_cost",
    "training_epoch",
    "training_law",
    "minimal_cells",
    "long_series",
    "first_step",
    "joined_start",
    "raylets",
    "pack_cost",
    "pruning_simulator",
)


def main() -> None:
    if "--gpu" in sys.argv:
        sys.exit(bench_gpu.main([word for word in sys.argv[1:] if word != "--gpu"]))
    measures = {name: import_module(f"tests.benchmarks.{name}").measure for name in _BENCHMARKS}
    figures.main(measures, __doc__ or "")


if __name__ == "__main__":
    main()
