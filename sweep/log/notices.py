"""The lines that the sink leaves in NAME/sink.log, read by whoever shows them to a person."""

from __future__ import annotations

import re
from pathlib import Path

NOTICES_FILE = "sink.log"
BACK = "MLflow answers again"
_NOTICE = re.compile(r"^\d\d:\d\d:\d\d tracking: (?P<line>.+)$")
_TAIL_BYTES = 4_000


def notices_size(folder: Path) -> int:
    """Return how much an earlier sink has said, as `last_notice` takes it."""
    try:
        return (folder / NOTICES_FILE).stat().st_size
    except OSError:
        return 0


def last_notice(folder: Path, after: int = 0) -> str:
    """Return the last line that the sink of the sweep in `folder` said; empty when all is well.

    Args:
        after: Bytes of the file that an earlier sink wrote.
    """
    size = notices_size(folder)
    if size <= after:
        return ""
    try:
        with (folder / NOTICES_FILE).open("rb") as file:
            file.seek(max(after, size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    found = [match["line"] for match in map(_NOTICE.match, lines) if match is not None]
    return "" if not found or found[-1].startswith(BACK) else found[-1]
