"""What everything but training costs a trial: `python -m tests.benchmarks.processor_time`.

Processor time of coordinator, sink, Ray's daemons and of the workers outside `Pack.train`, MLflow
and TPE on, per trial, after the first third of the sweep: start-up is not in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks import figures
from tests.benchmarks.busy_fraction import sizes
from tests.benchmarks.figures import Figure
from tests.benchmarks.sweep_runs import sweep_run


def measure(quick: bool) -> Sequence[Figure]:
    run = sweep_run(*sizes(quick))
    details = {role: round(seconds * 1e3, 1) for role, seconds in sorted(run.overhead.items())}
    details["training_ms"] = round(run.steady["training"] * 1e3, 1)
    total = sum(run.measured.usage.total().values()) - run.trials * run.steady["training"]
    details["start_up_and_end_seconds"] = round(total - run.trials * sum(run.overhead.values()), 1)
    what = "processor time of everything but training, per trial"
    return [Figure(what, round(sum(run.overhead.values()) * 1e3, 1), "ms", 90, "less", details)]


if __name__ == "__main__":
    figures.main({"processor_time": measure}, __doc__ or "")
