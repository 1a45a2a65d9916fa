"""Child process: the memory that training on a long stream takes beyond the stream itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(characters: int) -> None:
    from tests.benchmarks.training_law import character_pack, text

    character_pack(text(50_000)).train(0, seconds=2.0)  # what training takes on any stream
    data = text(characters)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak begins anew
    before = mib("VmRSS")
    character_pack(data).train(0, seconds=3.0)
    print(json.dumps({"grown_mib": mib("VmHWM") - before}))


def mib(field: str) -> float:
    """Return a field of /proc/self/status, as VmHWM, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]))
