"""An interpreter with neuralforecast, in an environment of its own: its pins are not ours.

`RNN_SWEEP_NEURALFORECAST` names one that exists. Otherwise one is made, once, in the system's
folder of temporary files; without a network that fails, and there is nothing to compare with.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

VARIABLE = "RNN_SWEEP_NEURALFORECAST"
_PACKAGES = ("torch>=2.11,<2.14", "neuralforecast")
_PROBE = "import neuralforecast; print(neuralforecast.__version__)"


class NotInstalled(Exception):
    """neuralforecast is not here and can't be had; the message says why."""


def interpreter() -> Path:
    """Return the interpreter.

    Raises:
        NotInstalled: there is none, and none can be made.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named)
    folder = Path(tempfile.gettempdir()) / "rnn-sweep-neuralforecast"
    python = folder / "bin" / "python"
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(folder)])
    if subprocess.run([python, "-c", _PROBE], capture_output=True).returncode:
        _run([str(python), "-m", "pip", "install", "--quiet", *_PACKAGES])
    return python


def version(python: Path) -> str:
    """Return neuralforecast's version there.

    Raises:
        NotInstalled: that interpreter can't import it.
    """
    return _run([str(python), "-c", _PROBE]).strip().splitlines()[-1]


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise NotInstalled(
            f"neuralforecast is not installed: {said.strip().splitlines()[-1]}; "
            f"set {VARIABLE} to an interpreter that has it."
        ) from error
    return done.stdout
