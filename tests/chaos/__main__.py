"""Kill everything at random, again and again, and see whether anything is lost.

`python -m tests.chaos --kills 100 --seed 0`: one sweep undisturbed, the same one on a Ray cluster
of several raylets while workers, raylets, the head, the coordinator, PostgreSQL and MLflow's server
are killed, frozen and drained. Exit code 1 if a trial is lost or doubled, if anything is left, or
if the final table is not the undisturbed one's to the last bit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos import experiment
from tests.chaos.experiment import Settings
from tests.chaos.report import table
from tests.chaos.schedule import SHARES
from tests.integration.postgres import binaries


def main() -> None:
    options = arguments()
    folder = Path(options.folder or tempfile.mkdtemp(prefix="chaos", dir="/tmp")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    print(f"folder {folder}, load average {os.getloadavg()[0]:.1f}", flush=True)
    began = time.monotonic()
    result = experiment.run(settings(options), folder, lambda line: say(line, began))
    print(table(result))
    print(f"load average {os.getloadavg()[0]:.1f}")
    if result.good and options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if result.good else 1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="strikes in all")
    parser.add_argument("--seed", type=int, default=0, help="of kinds, targets and waiting times")
    parser.add_argument("--every", type=float, help="mean seconds between strikes (10; quick: 3)")
    parser.add_argument("--trials", type=int, help="of the sweep (1.6 a kill, at least 12)")
    parser.add_argument("--nodes", type=int, default=3, help="raylets of one core beside the head")
    parser.add_argument("--quick", action="store_true", help="small trials, no MLflow server")
    parser.add_argument("--sqlite", action="store_true", help="no PostgreSQL even where it is")
    parser.add_argument("--kinds", type=_kinds, default=tuple(SHARES), help=",".join(SHARES))
    parser.add_argument("--folder", help="keep everything here, and use its undisturbed sweep")
    parser.add_argument("--hours", type=float, default=3.0, help="give up after so long")
    return parser.parse_args()


def settings(options: argparse.Namespace) -> Settings:
    return Settings(
        kills=options.kills,
        seed=options.seed,
        every_seconds=options.every or (3.0 if options.quick else 10.0),
        trials=options.trials or max(12, round(1.6 * options.kills)),
        nodes=options.nodes,
        quick=options.quick,
        on_postgres=binaries() is not None and not options.sqlite,
        kinds=options.kinds,
        limit_seconds=3600 * options.hours,
    )


def say(line: str, began: float) -> None:
    print(f"{time.monotonic() - began:7.1f}  {line}", flush=True)


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(text.split(","))
    unknown = [kind for kind in kinds if kind not in SHARES]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown {unknown}; there are {', '.join(SHARES)}")
    return kinds


if __name__ == "__main__":
    main()
