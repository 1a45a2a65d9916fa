"""Where checkpoints lie: the log holds their names, so that a sweep's folder may move or be shared.

Names are unique in a sweep (they bear trial and attempt), which is why the name alone finds a file,
also where an older log recorded an absolute path.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

_NAME = re.compile(r"\.?trial-(?P<trial>\d+)\.a(?P<attempt>\d+)\.")
CHECKPOINTS = "checkpoints"
"""Name of the folder of checkpoints in a sweep's folder."""


def checkpoint_name(trial: int, attempt: int, epoch: int) -> str:
    """Return a new file's name, which no other attempt and no later moment shares."""
    stamp = time.time_ns() // 1000
    return f"trial-{trial:05d}.a{attempt}.e{epoch:04d}.{stamp:x}.safetensors"


def attempt_of(name: str) -> tuple[int, int] | None:
    """Return trial and attempt that a file was written for, half-written ones too; or None."""
    match = _NAME.match(name)
    return None if match is None else (int(match["trial"]), int(match["attempt"]))


def recorded_path(path: str) -> str:
    """Return what the log says of a checkpoint: its path relative to the sweep's folder."""
    return f"{CHECKPOINTS}/{Path(path).name}"


def checkpoint_path(folder: Path, recorded: str) -> Path:
    """Return where a recorded checkpoint lies now.

    Args:
        folder: The sweep's folder, wherever it is by now.
        recorded: What the log says: `checkpoints/NAME`, or any older path that ends in the name.
    """
    return folder / CHECKPOINTS / Path(recorded).name
