"""What is printed when this process ends without being asked: killed, or ended by Ray.

Ray ends a driver at once, from within its own threads, when the node that the driver is attached to
dies. Nothing of ours runs then. So a small shell waits at the end of a pipe, and prints its line
when the pipe is closed without a word.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_SCRIPT = 'read -r word || printf "%s\\n" "$0" >&2'


@contextmanager
def printed_if_killed(line: str | None) -> Iterator[None]:
    """Have a line printed to standard error if this process dies in this context; None prints none.

    Where there is no shell, nothing will be printed.
    """
    shell: subprocess.Popen[bytes] | None = None
    if line is not None:
        with suppress(OSError):
            shell = subprocess.Popen(
                ["sh", "-c", _SCRIPT, line],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
    try:
        yield
    finally:
        if shell is not None:
            with suppress(OSError):
                shell.communicate(b"\n")
