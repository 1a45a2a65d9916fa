"""Child process: seconds and memory that loading a table takes, beyond the libraries' own."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.stream_memory import mib


def main(tiny: Path, path: Path) -> None:
    from trainers.data import load_data

    options: dict[str, Any] = {"target": "c0", "time_column": "time", "input_steps": 48}
    load_data("csv", {**options, "path": tiny.name}, base_dir=tiny.parent)  # libraries, once
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak begins anew
    before, began = mib("VmRSS"), time.perf_counter()
    data = load_data("csv", {**options, "path": path.name}, base_dir=path.parent)
    seconds, peak = time.perf_counter() - began, mib("VmHWM")
    found = {
        "seconds": seconds,
        "peak_mib": peak - before,
        "left_mib": mib("VmRSS") - before,
        "windows": len(data.train),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
