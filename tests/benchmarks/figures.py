"""What a benchmark says: figures, printed as JSON lines and as one table, written where asked."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("RESULTS.md")
_LIBRARIES = ("torch", "ray", "optuna", "mlflow", "numpy", "pandas", "sqlalchemy")


@dataclass(frozen=True)
class Figure:
    """One measured number, beside what it should be.

    Attributes:
        what: The row of the table, in the words of the design.
        value: Measured.
        unit: Of value and target, as "ms" or "x".
        target: To reach; None where the figure only explains another.
        better: Which side of the target is good.
        details: Where the value comes from.
    """

    what: str
    value: float
    unit: str = ""
    target: float | None = None
    better: Literal["more", "less"] = "less"
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        good = self.value >= self.target if self.better == "more" else self.value <= self.target
        return "yes" if good else "no"

    @property
    def goal(self) -> str:
        if self.target is None:
            return ""
        return f"{'≥' if self.better == 'more' else '≤'} {_number(self.target)} {self.unit}".strip()


Measure = Callable[[bool], Sequence[Figure]]


def report(benchmark: str, figures: Sequence[Figure]) -> None:
    """Print one JSON line per figure."""
    for figure in figures:
        print(json.dumps({"benchmark": benchmark, **asdict(figure)}), flush=True)


def table(figures: Sequence[Figure]) -> str:
    """Return a Markdown table, readable as it is."""
    rows = [("what", "measured", "to reach", "reached")]
    rows += [(f.what, f"{_number(f.value)} {f.unit}".strip(), f.goal, f.verdict) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def machine() -> dict[str, Any]:
    """Return what the figures were measured on; `load` is the run queue, by minutes."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "load": [round(load, 1) for load in os.getloadavg()],
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main(
    benchmarks: dict[str, Measure], description: str, arguments: Sequence[str] | None = None
) -> None:
    """Run benchmarks from the command line.

    Args:
        benchmarks: By name, in the order in which they run.
        description: For `--help`.
        arguments: Instead of the command line's.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="few repetitions: a smoke test")
    parser.add_argument("--write", action="store_true", help=f"append to {RESULTS.name}")
    parser.add_argument("--only", nargs="+", choices=list(benchmarks), help="instead of all")
    options = parser.parse_args(arguments)
    before = machine()
    found: list[Figure] = []
    seconds: dict[str, float] = {}
    failed: list[str] = []
    for name in options.only or benchmarks:
        began = time.monotonic()
        try:
            figures = benchmarks[name](options.quick)
        except Exception:  # the other rows are worth having
            failed.append(name)
            traceback.print_exc()
            continue
        report(name, figures)
        found += figures
        seconds[name] = round(time.monotonic() - began)
    print(f"\n{table(found)}\n\n{_paragraph(before)}")
    print("seconds: " + ", ".join(f"{name} {taken:.0f}" for name, taken in seconds.items()))
    if options.write:
        write(found, before, quick=options.quick)
    if failed:
        sys.exit(f"failed, and not in the table: {', '.join(failed)}")


def write(figures: Sequence[Figure], before: dict[str, Any], *, quick: bool) -> None:
    """Append a dated section to RESULTS.md."""
    title = time.strftime("%Y-%m-%d %H:%M") + (" (--quick)" if quick else "")
    details = [f"- {f.what}: `{json.dumps(f.details)}`" for f in figures if f.details]
    parts = [f"## {title}", _paragraph(before), table(figures), "\n".join(details)]
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write("\n" + "\n\n".join(filter(None, parts)) + "\n")


def _paragraph(facts: dict[str, Any]) -> str:
    after = [round(load, 1) for load in os.getloadavg()]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    listed = ", ".join(f"{name} {value}" for name, value in facts.items() if name != "load")
    return f"{listed}, commit {commit}; load average before {facts['load']}, after {after}."


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _number(value: float) -> str:
    if value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
