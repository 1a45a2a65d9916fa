"""What is said when this process ends without being asked: killed, or ended by Ray.

Ray ends a driver at once, from within its own threads, when the node that the driver is attached to
dies. Nothing of ours runs then. So a small shell waits at the end of a pipe, and speaks up when the
pipe is closed without a farewell.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_SCRIPT = 'read -r farewell || printf "%s\\n" "$0" >&2'


class LastWords:
    """A line that is written to standard error if this process dies before `farewell`."""

    def __init__(self, line: str) -> None:
        """Leave the line with a shell; where there is none, nothing will be said."""
        self._shell: subprocess.Popen[bytes] | None = None
        with suppress(OSError):
            self._shell = subprocess.Popen(
                ["sh", "-c", _SCRIPT, line],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    def farewell(self) -> None:
        """Say that this end is meant."""
        if self._shell is not None:
            with suppress(OSError):
                self._shell.communicate(b"\n")
            self._shell = None


@contextmanager
def last_words(line: str | None) -> Iterator[None]:
    """Have a line said if this process dies in this context; None says nothing."""
    left = None if line is None else LastWords(line)
    try:
        yield
    finally:
        if left is not None:
            left.farewell()
