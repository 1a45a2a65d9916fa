"""What a sweep says, for machines: one JSON object a line.

`coordinator.jsonl` in a sweep's folder gets the coordinator's own notices; `run --log-format json`
writes progress to standard output, for a cluster's log collector.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sweep.running.progress import Progress, ProgressCallback

NOTICES = "coordinator.jsonl"
PROGRESS_SECONDS = 10.0
_PACKAGES = ("sweep", "cluster")


class _JsonLines(logging.Formatter):
    """One record as one JSON object: time, level, host, pid, source, message and `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": record.created,
            "level": record.levelname.lower(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "source": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


@contextmanager
def notices_to(folder: Path) -> Iterator[None]:
    """Write what the coordinator notes to a sweep's folder as well, while in this context."""
    handler = logging.FileHandler(folder / NOTICES, encoding="utf-8", delay=True)
    handler.setFormatter(_JsonLines())
    handler.setLevel(logging.INFO)
    loggers = [logging.getLogger(name) for name in _PACKAGES]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        if not logger.isEnabledFor(logging.INFO):
            logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        handler.close()


@contextmanager
def json_progress() -> Iterator[ProgressCallback]:
    """Give the callback that writes progress as JSON lines."""
    last = -math.inf

    def write(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if not progress.ended and progress.phase == "training" and now - last < PROGRESS_SECONDS:
            return
        last = now
        json_line(dataclasses.asdict(progress))

    yield write


def json_line(fields: dict[str, Any]) -> None:
    """Write one JSON object to standard output, with the time."""
    line = {"time": time.time(), "level": "info", **fields}
    sys.stdout.write(json.dumps(_finite(line)) + "\n")
    sys.stdout.flush()


def _finite(value: Any) -> Any:
    """Return a value without NaN and infinity, which JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
