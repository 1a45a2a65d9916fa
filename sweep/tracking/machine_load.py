"""How busy this machine is, read from Linux's own figures: MLflow's page "System metrics".

Sampled by the sink while a sweep runs, on the coordinator's machine, if `tracking.system_metrics`
asks for it. Elsewhere than on Linux, and without an NVIDIA GPU, the figures in question are absent.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

INTERVAL_SECONDS = 10.0
_PATIENCE_SECONDS = 5.0
_KIB_PER_MB = 1000 / 1.024
_QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]


class MachineLoad:
    """Samples processor, memory and GPUs, at most once per interval."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        """Begin now: the first sample tells of the time from here on."""
        self._proc = proc
        self._gpus = shutil.which("nvidia-smi") is not None
        self._due = time.monotonic() + INTERVAL_SECONDS
        self._before = self._processor_times()

    def sample(self) -> dict[str, float]:
        """Return MLflow's names and values; empty when the last sample is too young."""
        if time.monotonic() < self._due:
            return {}
        self._due = time.monotonic() + INTERVAL_SECONDS
        return {**self._processor(), **self._memory(), **self._gpu()}

    def _processor(self) -> dict[str, float]:
        before, now = self._before, self._processor_times()
        self._before = now
        if before is None or now is None or now[1] <= before[1]:
            return {}
        busy = (now[0] - before[0]) / (now[1] - before[1])
        return {"system/cpu_utilization_percentage": 100.0 * busy}

    def _processor_times(self) -> tuple[float, float] | None:
        """Return busy and total processor time since the machine started, in its own unit."""
        words = self._read("stat").partition("\n")[0].split()[1:9]
        if len(words) < 8:
            return None
        ticks = [float(word) for word in words]
        idle = ticks[3] + ticks[4]  # idle, waiting for a disk
        return sum(ticks) - idle, sum(ticks)

    def _memory(self) -> dict[str, float]:
        kib = {
            line.partition(":")[0]: float(line.partition(":")[2].split()[0])
            for line in self._read("meminfo").splitlines()
        }
        if not {"MemTotal", "MemAvailable"} <= kib.keys():
            return {}
        used = kib["MemTotal"] - kib["MemAvailable"]
        return {
            "system/system_memory_usage_megabytes": used / _KIB_PER_MB,
            "system/system_memory_usage_percentage": 100.0 * used / kib["MemTotal"],
        }

    def _gpu(self) -> dict[str, float]:
        if not self._gpus:
            return {}
        try:
            said = subprocess.run(
                _QUERY, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True
            ).stdout
        except (OSError, subprocess.SubprocessError):
            self._gpus = False
            return {}
        return gpu_metrics(said)

    def _read(self, name: str) -> str:
        try:
            return (self._proc / name).read_text(encoding="ascii", errors="replace")
        except OSError:
            return ""


def gpu_metrics(said: str) -> dict[str, float]:
    """Return the metrics in what `nvidia-smi` says: utilization and MiB, one line a GPU."""
    found: dict[str, float] = {}
    for index, line in enumerate(said.strip().splitlines()):
        words = [word.strip() for word in line.split(",")]
        names = ("utilization_percentage", "memory_usage_megabytes")
        for name, word in zip(names, words, strict=False):
            if word.replace(".", "", 1).isdigit():  # "[N/A]" where a GPU is divided
                scale = 1.048576 if name.startswith("memory") else 1.0
                found[f"system/gpu_{index}_{name}"] = scale * float(word)
    return found
