"""Where a finalist's answers and its calibration lie: beside the checkpoints, named by trial."""

from __future__ import annotations

from pathlib import Path

FINALISTS = "finalists"
"""Name of the folder in a sweep's folder."""


def kept_place(folder: Path, trial: int) -> Path:
    """Return the place that a finalist's files are named after.

    Args:
        folder: The sweep's folder.
        trial: The finalist's number.
    """
    return folder / FINALISTS / f"trial-{trial:05d}"


def answers_file(kept: Path) -> Path:
    """Return where its answers to the test part lie (`trainers.use.kept_answers`)."""
    return kept.with_suffix(".safetensors")


def calibration_file(kept: Path) -> Path:
    """Return where the calibration of its intervals lies (`trainers.use.intervals`)."""
    return kept.with_suffix(".json")
