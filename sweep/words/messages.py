"""What a person is told when something goes wrong: one line, and the exit code.

All exit codes of `rnn-sweep` stand here.
"""

from __future__ import annotations

import errno

from sweep.errors import SweepError, UserError

DONE = 0
FAILURE = 1  # something outside failed: a tracker, a disk, a cluster
USER_MISTAKE = 2  # one line says what to mend
SMOKE_FAILED = 3  # a check of `smoke` failed, or one of its gates fired
INTERRUPTED = 130  # Ctrl-C or SIGTERM; a sweep goes on with the same command


def to_user_message(error: BaseException) -> str | None:
    """Return the one line that says what is wrong, or None for a bug, which needs its traceback."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or error}."
    if isinstance(error, _foreseen()):
        return " ".join(str(error).split())
    return None


def exit_code(error: BaseException) -> int:
    """Return 2 where the user can mend it, 1 where something outside failed."""
    outside = isinstance(error, SweepError) and not isinstance(error, UserError)
    broken = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT)
    return FAILURE if outside or broken else USER_MISTAKE


def _foreseen() -> tuple[type[BaseException], ...]:
    """Return the roots of every package's error tree; imported only once something went wrong."""
    from cluster.errors import ClusterError
    from search_spaces.errors import SpaceError
    from trainers.errors import TrainerError

    return (SweepError, ClusterError, SpaceError, TrainerError)
