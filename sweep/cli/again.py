"""The command to type again: what was typed, with some options set anew."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence


def typed(**options: object) -> str:
    """Return the command line of this process, fit for a shell.

    Args:
        options: Long options by name, `_` for `-`, and the value each shall have; None leaves the
            option as it was typed.
    """
    wanted = {
        f"--{name.replace('_', '-')}": str(value)
        for name, value in options.items()
        if value is not None
    }
    words = ["rnn-sweep", *_without(sys.argv[1:], frozenset(wanted))]
    for option, value in wanted.items():
        words += [option, value]
    return shlex.join(words)


def _without(words: Sequence[str], options: frozenset[str]) -> Iterator[str]:
    """Yield the words that are none of these options, nor their values."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in options:
            skip = True
        elif word.partition("=")[0] not in options:
            yield word
