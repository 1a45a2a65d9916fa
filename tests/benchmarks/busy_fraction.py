"""How much of their time workers work: `python -m tests.benchmarks.busy_fraction`.

Half-second trials, TPE and MLflow on, a worker on every core but one.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.benchmarks.sweep_runs import sweep_run


def sizes(quick: bool) -> tuple[int, int]:
    """Return trials and workers."""
    workers = max(1, figures.cores() - 1)
    return (12 if quick else 72) * workers, workers


def measure(quick: bool) -> Sequence[Figure]:
    trials, workers = sizes(quick)
    run = sweep_run(trials, workers)
    answer = run.answer
    span = (answer["ended"][-1] - answer["asked"][0]) * workers
    details = {
        "trials": trials,
        "workers": workers,
        "epochs_a_trial": run.epochs,
        "training_seconds_a_trial": round(run.steady["training"], 3),
        "span_seconds": round(span / workers, 1),
        "trained_by_the_log": round(answer["train_seconds"] / span, 4),
        "trials_failed_or_missing": trials - len(answer["ended"]),
    }
    what = "busy fraction, half-second trials, MLflow on, workers = cores − 1"
    return [Figure(what, round(answer["busy_fraction"], 4), "", 0.95, "more", details)]


if __name__ == "__main__":
    figures.main({"busy_fraction": measure}, __doc__ or "")
