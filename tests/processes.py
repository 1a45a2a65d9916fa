"""Which processes belong to a folder: how tests find what was left running (Linux: /proc)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil


def belonging(folder: Path) -> list[psutil.Process]:
    """Return living processes that name the folder on their command line or in their environment,
    stand in it, or hold files in it open.

    A Ray worker overwrites its command line, and with it its environment; it holds its log open.
    This process and those that started it are left out.
    """
    mark, found = str(folder), []
    family = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        if process.pid not in family and _belongs(process.pid, mark):
            with suppress(psutil.NoSuchProcess):
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
    return found


def command_lines(processes: list[psutil.Process]) -> list[str]:
    """Return what to show of processes."""
    lines = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            lines.append(f"{process.pid} {' '.join(process.cmdline())[:160]}")
    return lines


def _belongs(pid: int, mark: str) -> bool:
    place = Path("/proc") / str(pid)
    with suppress(OSError):
        if mark.encode() in (place / "cmdline").read_bytes():
            return True
        if mark.encode() in (place / "environ").read_bytes():
            return True
        if str((place / "cwd").readlink()).startswith(mark):
            return True
        return any(str(link.readlink()).startswith(mark) for link in (place / "fd").iterdir())
    return False
