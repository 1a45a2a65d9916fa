"""A sweep made ready for a cluster: its file with paths of the cluster's, and what goes with it.

What a sweep file names relative lies in its folder and is sent. So is what `--set` names relative
to the working directory. An absolute path is the cluster's own, and stays as it is.
"""

from __future__ import annotations

import glob
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from cluster.auth import OVERRIDE_VARIABLE, open_allowed
from cluster.package import python_sources
from cluster.place import SENT
from sweep.config.file import apply_overrides, assign, find_sweep_file, read_sweep_file
from sweep.config.paths import change_paths, is_relative, keep_inside, named_files
from sweep.config.sweep_config import SweepConfig, validate
from sweep.errors import ConfigProblem
from sweep.words.redaction import holds_password, password_key

DEFAULT_DIRECTORY = "~/rnn-sweeps"
PACKAGES = ("cluster", "search_spaces", "sweep", "trainers")
FORWARDED = ("MLFLOW_TRACKING_URI", "MLFLOW_S3_ENDPOINT_URL", "RNN_SWEEP_LOG")
_ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Submission:
    """What goes to the cluster.

    Attributes:
        config: The sweep as checked here, with the paths of this machine.
        files: What is sent, by its name in the job's folder.
        entrypoint: The command that runs there.
        environment: The variables that it gets; none is a secret.
        notes: What a person should know.
    """

    config: SweepConfig
    files: dict[str, Path | bytes]
    entrypoint: str
    environment: dict[str, str]
    notes: tuple[str, ...]


def prepare_submission(
    spec: str | Path,
    overrides: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    installed: bool = False,
    allow_open: bool = False,
) -> Submission:
    """Check a sweep file here, and gather what it needs there.

    Args:
        spec: Path of a YAML file, or a preset's name.
        overrides: Texts `a.b=value`, as `--set`.
        options: Values by dotted key, applied last; None leaves a key alone.
        installed: Whether the cluster has this rnn-sweep, so that its sources need not be sent.
        allow_open: Whether the sweep may join its cluster though that asks for no token.

    Raises:
        ConfigProblem: the sweep file is wrong, names files that are not there or lie outside of
            its folder, or the environment holds a password that would have to be sent.
    """
    path = find_sweep_file(spec)
    values = read_sweep_file(path)
    gathered = _Gathered(path.parent)
    change_paths(values, gathered.from_file)
    apply_overrides(values, overrides)
    for key, value in (options or {}).items():
        if value is not None:
            assign(values, key, value)
    change_paths(values, gathered.from_options)
    config = validate({"name": path.stem, **values})
    _check_space(config, gathered)
    change_paths(values, gathered.in_package)
    values |= {"name": config.name}
    assign(values, "run.address", "auto")
    if isinstance(values.get("cluster"), dict):
        values["cluster"].pop("deploy", None)
    _refuse_passwords(values)
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    files: dict[str, Path | bytes] = {f"{SENT}/{config.name}.yaml": text.encode()}
    files |= {f"{SENT}/{name}": file for name, file in gathered.files().items()}
    if not installed:
        files |= _own_sources()
    environment, unsent = _environment(config)
    if open_allowed(allow_open):
        environment[OVERRIDE_VARIABLE] = "1"
    notes = (*gathered.notes, *unsent)
    return Submission(config, files, _entrypoint(config, installed), environment, notes)


@dataclass
class _Gathered:
    """The local files that a sweep names, and their names in the package.

    Attributes:
        folder: The sweep file's.
        sent: Name in the package by absolute path here; either may be a folder or a pattern.
        used: Those that the sweep names in the end, after all overrides.
        notes: Which paths are taken as the cluster's own.
    """

    folder: Path
    sent: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def from_file(self, key: str, path: str) -> str:
        """Take a path of the sweep file; a relative one must stay in its folder."""
        if not is_relative(path):
            return path
        root = self.folder.resolve()
        found = (root / path).resolve()
        keep_inside(key, path, found, self.folder)
        return self._add(found, found.relative_to(root).as_posix())

    def from_options(self, key: str, path: str) -> str:
        """Take a path of the command line, or one that `from_file` has taken already."""
        if not is_relative(path):
            if path not in self.sent and "://" not in path:
                self.notes.append(f"{key}: {path} is taken as the cluster's own path.")
            return path
        found = Path(os.path.normpath(Path.cwd() / path))
        root = self.folder.resolve()
        if found.is_relative_to(root):
            return self._add(found, found.relative_to(root).as_posix())
        place = f"{_ELSEWHERE}/{len(self.sent)}"
        return self._add(found, f"{place}/{found.relative_to(_anchor(found)).as_posix()}")

    def in_package(self, key: str, path: str) -> str:
        """Return the path as the cluster knows it, relative to the sweep file there.

        Raises:
            ConfigProblem: it is to be sent, but there is nothing, or it is a sweep.
        """
        if path not in self.sent:
            return path
        if key == "search.warm_start":
            raise ConfigProblem(
                "search.warm_start of a submitted sweep must name sweeps on the cluster, by their "
                f"names or absolute paths there, but got {path}; run those there first."
            )
        if next(named_files(Path(path)), None) is None:
            raise ConfigProblem(
                f"{key} must name a file that can be sent, but there is none at {path}; a path of "
                "the cluster's own must be absolute."
            )
        self.used.add(path)
        return self.sent[path]

    def files(self) -> dict[str, Path]:
        """Return every file that is used by its name in the package."""
        found = {}
        for here in self.used:
            path, name = Path(here), Path(self.sent[here])
            base = path if path.exists() else _anchor(path)
            below = len(path.relative_to(base).parts)
            inner = Path(*name.parts[: len(name.parts) - below])
            for file in named_files(path):
                found[(inner / file.relative_to(base)).as_posix()] = file
        return found

    def _add(self, found: Path, name: str) -> str:
        self.sent[str(found)] = name
        return str(found)


def _anchor(path: Path) -> Path:
    """Return the folder that a file, or a pattern's first part, lies in."""
    anchor = path
    while glob.has_magic(str(anchor)):
        anchor = anchor.parent
    return anchor.parent if anchor == path else anchor


def _check_space(config: SweepConfig, gathered: _Gathered) -> None:
    """Build the space, where all of it is here."""
    from sweep.search.space import sweep_space

    base = (config.space.base or "").rpartition(":")[0]
    if not base or base in gathered.sent:
        sweep_space(config)


def _refuse_passwords(values: Mapping[str, Any]) -> None:
    key = password_key(values)
    if key is not None:
        raise ConfigProblem(
            f"what is sent must hold no passwords, but {key} looks like one or holds one; let it "
            "be read from the cluster's own environment."
        )


def _own_sources() -> dict[str, Path]:
    root = Path(__file__).resolve().parents[2]
    return {n: f for name in PACKAGES for n, f in python_sources(root / name, name).items()}


def _entrypoint(config: SweepConfig, installed: bool) -> str:
    directory = config.cluster.directory or DEFAULT_DIRECTORY
    if not directory.startswith(("/", "~/")):
        raise ConfigProblem(
            f"cluster.directory must be an absolute path there, or begin with ~/, but got "
            f"{directory!r}; a job's own folder is gone when it has ended."
        )
    folder = f"{directory}/{config.name}/{SENT}"
    words = ["python", "-m", "cluster.place", _shell_path(folder)]
    words += [version("rnn-sweep")] if installed else []
    run = ["exec", "python", "-m", "sweep", "run", _shell_path(f"{folder}/{config.name}.yaml")]
    return " ".join([*words, "&&", *run, "--dir", _shell_path(directory)])


def _shell_path(path: str) -> str:
    """Quote a path for the cluster's shell, which shall know its own home."""
    if path.startswith("~/"):
        return "~/" + shlex.quote(path[2:])
    return shlex.quote(path)


def _environment(config: SweepConfig) -> tuple[dict[str, str], list[str]]:
    """Return the variables to send, and what to say of those that are not.

    Raises:
        ConfigProblem: one that the sweep needs holds a password.
    """
    wanted = set(FORWARDED)
    if config.tracking.uri is not None or not config.tracking.enabled:
        wanted -= {"MLFLOW_TRACKING_URI", "MLFLOW_S3_ENDPOINT_URL"}
    if config.run.log is not None:
        wanted -= {"RNN_SWEEP_LOG"}
    sent, notes = {}, []
    for name in sorted(wanted & set(os.environ)):
        value = os.environ[name]
        if holds_password(value):
            raise ConfigProblem(
                f"{name} must hold no password to be sent, since everybody on the cluster could "
                "read it; unset it here, and give the password to the cluster's own environment "
                "(MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, PGPASSWORD)."
            )
        if urlsplit(value).scheme.partition("+")[0] not in ("http", "https", "postgresql", "mysql"):
            notes.append(f"{name} names something on this machine, so it is not sent: {value}")
        else:
            sent[name] = value
    return sent, notes
