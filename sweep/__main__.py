"""The command `rnn-sweep`, also `python -m sweep`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from sweep.words.messages import INTERRUPTED, USER_MISTAKE, exit_code, to_user_message


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. A mistake is one line on stderr, never a traceback."""
    from sweep.cli.app import command

    if arguments is not None:  # what is said to be typed again is what was given
        sys.argv[1:] = arguments
    try:
        code = command().main(
            args=sys.argv[1:],
            prog_name="rnn-sweep",
            standalone_mode=False,
        )
    except BrokenPipeError:  # `rnn-sweep results … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        return _explain(error)
    return code if isinstance(code, int) else 0


def _explain(error: Exception) -> int:
    usage = getattr(error, "format_message", None)  # typer's own errors, in every version
    message = usage() if usage is not None else to_user_message(error)
    if message is None:
        raise error
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    return USER_MISTAKE if usage is not None else exit_code(error)


if __name__ == "__main__":
    sys.exit(main())
