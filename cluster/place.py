"""Runs on the cluster before a submitted sweep: checks what is installed, puts its files in place.

`python -m cluster.place FOLDER [VERSION]` copies the job's folder `submitted` to FOLDER. Ray gives
a job another folder each time, but a sweep's files need one place, or a resume would not know them.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import sys
from pathlib import Path

SENT = "submitted"
NEEDED = (
    *("mlflow", "numpy", "optuna", "pandas", "pyarrow", "pydantic", "ray", "rich", "safetensors"),
    *("scipy", "sklearn", "sqlalchemy", "torch", "typer", "yaml"),
)


def place(folder: Path, sent: Path = Path(SENT)) -> None:
    """Copy files to where a sweep keeps them; each is there whole or not at all.

    What was sent before and is not sent any more goes: data that were removed are not trained on.
    """
    sources = [source for source in sorted(sent.rglob("*")) if not source.is_dir()]
    for source in sources:
        target = folder / source.relative_to(sent)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        new = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(source, new)
        new.replace(target)
    wanted = {folder / source.relative_to(sent) for source in sources}
    for old in sorted(folder.rglob("*"), reverse=True):  # what lies in a folder before the folder
        if old.is_dir():
            with contextlib.suppress(OSError):  # it is not empty
                old.rmdir()
        elif old not in wanted and not old.name.startswith("."):  # those are another's, half-done
            old.unlink(missing_ok=True)


def missing(version: str | None) -> str | None:
    """Return in one line what the cluster lacks; None where it has everything.

    Args:
        version: The rnn-sweep that must be installed; None where its sources were sent.
    """
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        return (
            f"the cluster's Python {sys.executable} must have what rnn-sweep needs, but has no "
            f"{', '.join(absent)}; use an image with rnn-sweep installed, or start Ray with the "
            "right `python` first on its PATH."
        )
    if version is None:
        return None
    try:
        there = importlib.metadata.version("rnn-sweep")
    except importlib.metadata.PackageNotFoundError:
        there = "none"
    if there != version:
        return (
            f"with --installed the cluster must have rnn-sweep {version}, but has {there}; submit "
            "without --installed, or use an image with that version."
        )
    return None


def main(arguments: list[str]) -> int:
    """Check, then copy; return the exit code."""
    folder, version = Path(arguments[0]).expanduser(), next(iter(arguments[1:]), None)
    problem = missing(version)
    if problem is None:
        try:
            place(folder)
        except OSError as error:
            problem = f"{folder} must be writable on the cluster, but: {error.strerror}."
    if problem is not None:
        sys.stderr.write(f"error: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
