"""Coordinator and workers must see the same folder: checkpoints of one are read by another."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path

_FILE = "sweep.uid"
_PATIENCE_SECONDS = 5.0  # a network disk may be a little late


def mark_disk(folder: Path, uid: str) -> None:
    """Write the sweep's id into its folder, for workers to find."""
    (folder / _FILE).write_text(uid, encoding="ascii")


def check_shared_disk(folder: Path, uid: str) -> None:
    """Make sure that a sweep's folder is the coordinator's; an empty `uid` checks nothing.

    Raises:
        FileNotFoundError: this machine does not see it.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while uid:
        with suppress(OSError, UnicodeDecodeError):
            if (folder / _FILE).read_text(encoding="ascii") == uid:
                return
        if time.monotonic() > deadline:
            raise FileNotFoundError(
                f"the sweep's folder {folder} must lie on a disk that all nodes share, but "
                f"{socket.gethostname()} does not see it; name such a folder with --dir"
            )
        time.sleep(0.2)
