"""What a session says of itself in its `opened` event: versions, code, machine, data, space."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.log.kinds import DataFacts, Opened, PartFacts, SpaceFacts

if TYPE_CHECKING:
    from search_spaces.space import Space
    from sweep.running.preparation import Prepared
    from sweep.work.executors import Executor
    from trainers.data.choices import DataChoices

_LIBRARIES = ("rnn-sweep", "torch", "ray", "optuna", "mlflow", "numpy", "pandas")
_PATIENCE_SECONDS = 5.0
_HERE = Path(__file__).resolve().parent


def opened(prepared: Prepared, executor: Executor, workers: int, *, resumed: bool) -> Opened:
    """Return what a session says when it begins."""
    return Opened(
        pid=os.getpid(),
        host=socket.gethostname(),
        workers=workers,
        gpus=executor.gpus(),
        elastic=executor.room() is not None,
        order=prepared.config.run.order,
        resumed=resumed,
        versions=versions(),
        commit=commit(),
        machine=machine(),
        data=data_facts(prepared.choices),
        space=space_facts(prepared.space),
        objectives=tuple(prepared.goal.plain()),
        first_weights=None if prepared.first is None else prepared.first.name,
        units={own.name: own.unit for own in prepared.asked.own},
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of what the figures depend on."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a folder that was never installed
            continue
    return found


def commit(folder: Path = _HERE) -> str | None:
    """Return the git commit that this code is, with `+changes` where it was edited since.

    None where the code is not under git: a repository that merely holds its environment is
    somebody else's.
    """
    if _git(folder, "ls-files", "--error-unmatch", "provenance.py") is None:
        return None
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return None
    return f"{head}+changes" if _git(folder, "status", "--porcelain", "-uno") else head


def earlier_code(first: Opened) -> str:
    """Return a way out where a sweep's data differ and its code did too; "" where that is the same.

    A release that reads or scales a file in another way gives the same file another digest.
    """
    begun, now = first.commit, commit()
    if begun is not None and begun != now:
        return f", go on with the code that began it (commit {begun[:7]})"
    release = first.versions.get("rnn-sweep")
    if release is not None and release != versions().get("rnn-sweep"):
        return f", go on with the code that began it (rnn-sweep {release})"
    return ""


def machine() -> dict[str, Any]:
    """Return what the coordinator's machine is made of; workers may live on others."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(gib),
        "gpus": ", ".join(_gpus()),
    }
    return {name: value for name, value in found.items() if value}


def data_facts(choices: DataChoices) -> DataFacts:
    """Return what tells one set of data from another; the digest is our own, over all rows."""
    data = choices.default
    parts = {name: PartFacts(len(part), part.time_steps) for name, part in data.parts().items()}
    return DataFacts(data.name, data.task, choices.digest, parts, data.units)


def space_facts(space: Space) -> SpaceFacts:
    """Return the space: its name and, where they are known before any trial, its dimensions."""
    plain = {name: _dimension(found) for name, found in space.distributions().items()}
    return SpaceFacts(space.name, plain)


def _dimension(found: Any) -> dict[str, Any]:
    if hasattr(found, "choices"):
        return {"choices": list(found.choices)}
    return {"low": found.low, "high": found.high, "log": found.log, "step": found.step}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())


def _gpus() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    answer = _said(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    return answer.splitlines() if answer else []


def _git(folder: Path, *words: str) -> str | None:
    if shutil.which("git") is None:
        return None
    return _said(["git", "-C", str(folder), *words])


def _said(command: list[str]) -> str | None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
