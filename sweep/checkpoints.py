"""Where checkpoints lie: the log holds their names, so that a sweep's folder may move or be shared.

Names are unique in a sweep (they bear trial and attempt), which is why the name alone finds a file,
also where an older log recorded an absolute path.
"""

from __future__ import annotations

from pathlib import Path

CHECKPOINTS = "checkpoints"
"""Name of the folder of checkpoints in a sweep's folder."""


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
