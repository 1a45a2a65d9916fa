"""Runs a preset whole, and prints what it reached and what processor time that took.

    python -m tests.benchmarks.preset_figures vowels --set data.path=FOLDER --dir sweeps

The figures of `FIGURES.md` come from here. Processor time is of the command and of every process
that descends from it, so it hardly depends on what else the machine does; wall time does.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tests.benchmarks import process_tree


def main() -> None:
    """Run the preset that the command line names; print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("preset")
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    parser.add_argument("--dir", dest="directory", default="sweeps")
    options = parser.parse_args()
    given = {
        "preset": options.preset,
        "overrides": options.overrides,
        "directory": str(Path(options.directory).resolve()),
    }
    measured = process_tree.run("tests.benchmarks.drive_preset", given)
    seconds = {role: round(spent, 1) for role, spent in measured.usage.total().items()}
    figures = {
        "preset": options.preset,
        "wall_seconds": round(measured.wall_seconds, 1),
        "processor_seconds": round(sum(seconds.values()), 1),
        "processor_seconds_by_role": seconds,
        **measured.answer,
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
