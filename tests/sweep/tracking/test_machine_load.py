"""The machine's load, from hand-written copies of Linux's figures."""

from __future__ import annotations

from pathlib import Path

import pytest

import sweep.tracking.machine_load
from sweep.tracking.machine_load import MachineLoad, gpu_metrics


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sweep.tracking.machine_load, "INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(sweep.tracking.machine_load.shutil, "which", lambda _: None)
    (tmp_path / "stat").write_text("cpu 100 0 50 800 50 0 0 0 0 0\ncpu0 1 1\n")
    (tmp_path / "meminfo").write_text("MemTotal: 2000000 kB\nMemAvailable: 1500000 kB\n")
    return tmp_path


def test_processor_and_memory_between_two_moments(proc: Path):
    load = MachineLoad(proc)
    (proc / "stat").write_text("cpu 160 0 65 820 55 0 0 0 0 0\n")  # 75 of 100 ticks were busy
    assert load.sample() == {
        "system/cpu_utilization_percentage": pytest.approx(75.0),
        "system/system_memory_usage_megabytes": pytest.approx(512.0),
        "system/system_memory_usage_percentage": pytest.approx(25.0),
    }


def test_a_machine_without_such_figures_has_none(tmp_path: Path, proc: Path):
    assert MachineLoad(tmp_path / "nowhere").sample() == {}
    assert "system/cpu_utilization_percentage" not in MachineLoad(proc).sample()  # no time passed


def test_samples_are_some_time_apart(proc: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweep.tracking.machine_load, "INTERVAL_SECONDS", 1e9)
    assert MachineLoad(proc).sample() == {}


def test_gpus_are_numbered_and_what_is_not_available_is_left_out():
    assert gpu_metrics("93, 1000\n[N/A], 500\n") == {
        "system/gpu_0_utilization_percentage": 93.0,
        "system/gpu_0_memory_usage_megabytes": pytest.approx(1048.576),
        "system/gpu_1_memory_usage_megabytes": pytest.approx(524.288),
    }
