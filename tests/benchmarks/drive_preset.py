"""Child process: runs one preset and says what came out of it."""

from __future__ import annotations

import sys
from pathlib import Path

from sweep.api import run_sweep
from sweep.config.sweep_config import load_config
from sweep.results.results import open_results
from tests.benchmarks.process_tree import answer, arguments


def main() -> None:
    given = arguments(sys.argv)
    config = load_config(given["preset"], given["overrides"])
    frame = run_sweep(config, directory=given["directory"])
    results = open_results(Path(given["directory"]) / config.name)
    answer(
        {
            "states": frame["state"].value_counts().to_dict(),
            "epochs": int(frame["epochs"].sum()),
            "train_seconds": float(frame["seconds"].sum()),
            "best": next((results.record(t) for t in [results.best()] if t is not None), None),
            "finalists": [record for record in results.records() if record["test"]],
        }
    )


if __name__ == "__main__":
    main()
