"""A sweep file, and the machines it asks for, as the plain values that `cluster.render` takes.

What the sweep names on this machine must be found on the cluster: Python files travel with the
sweep, data lie on the shared disk (KubeRay), under the same path (Slurm), or are copied (ray up).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from cluster.render.deployment import Cloud, Deployment, Kubernetes, Slurm, Workers
from sweep.config.file import find_sweep_file
from sweep.config.paths import change_paths, is_address
from sweep.config.sweep_config import SweepConfig
from sweep.errors import ConfigProblem
from sweep.words.redaction import password_key

DEFAULT_WORKERS = 4
DEFAULT_MEMORY_GIB = 4.0
_SPEC_FOLDER = "/sweep"  # where a pod finds the sweep file
_HOME = "/home/ray/sweep"  # where a machine of `ray up` finds it
_SHARED = "/mnt/sweeps"  # where it finds the shared disk
_CODE = ("data.source", "space.base", "metrics")
_PLAIN_PATH = re.compile(r"^/[A-Za-z0-9._/-]*$")


def deployment_of(
    config: SweepConfig,
    target: str,
    spec: str,
    overrides: Sequence[str],
    versions: Mapping[str, str],
) -> Deployment:
    """Return what to render.

    Args:
        config: The whole sweep, overrides applied.
        target: kuberay, slurm or ray-up.
        spec: The sweep file as the user named it.
        overrides: The user's `--set`, for targets that copy the file.
        versions: Of `ray` and `rnn-sweep`, as installed here and expected there.

    Raises:
        ConfigProblem: the sweep holds a password, or names what the cluster can't find.
    """
    values = _travelling(config)
    _refuse_passwords(values)
    _check_directory(config, target)
    deploy = config.cluster.deploy
    base = Deployment(
        name=config.name,
        sweep="",
        image=deploy.image or f"rnn-sweep:{versions['rnn-sweep']}",
        ray_version=versions["ray"],
        directory=config.cluster.directory,
        hours=deploy.hours,
        retries=deploy.retries,
        head_cpus=deploy.head_cpus,
        head_memory_gib=deploy.head_memory_gib,
        spot=deploy.spot,
        workers=_workers(config),
        kubernetes=Kubernetes(**dict(deploy.kubernetes)),
        slurm=Slurm(**dict(deploy.slurm)),
        cloud=Cloud(**dict(deploy.cloud)),
    )
    if target == "kuberay":
        files = _into_config_map(values, deploy.kubernetes.mount)
        base = replace(base, files=files)
    if target == "ray-up":
        shared = None if deploy.cloud.nfs is None else _SHARED
        copied, settings = _to_copy(values, shared)
        base = replace(
            base,
            spec_path=str(find_sweep_file(spec).resolve()),
            local_paths=copied,
            arguments=_words(config, overrides, settings),
        )
    return replace(base, sweep=yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def notes(config: SweepConfig, target: str) -> list[str]:
    """Return what a person should know before the manifest is used, one line each."""
    deploy, found = config.cluster.deploy, []
    if config.run.log is None:
        found.append(
            "run.log is null, and a SQLite log is refused on network disks; for more than one "
            "machine set run.log=postgresql://USER@HOST/DATABASE"
        )
    elif target == "kuberay" and deploy.kubernetes.postgres_secret is None:
        found.append(
            "cluster.deploy.kubernetes.postgres_secret is null, so pods log in to PostgreSQL "
            "without a password"
        )
    if config.tracking.enabled and config.tracking.uri is None:
        found.append("tracking.uri is null, so MLflow's record goes to a file beside the sweeps")
    if target == "ray-up" and deploy.cloud.nfs is None:
        found.append(
            "cluster.deploy.cloud.nfs is null, so machines share no disk and a trial whose "
            "machine dies begins anew"
        )
    return found


def _travelling(config: SweepConfig) -> dict[str, Any]:
    """Return the sweep's values as they travel: what is not the default, without its manifest."""
    values = config.model_dump(mode="json", exclude_defaults=True)
    cluster = values.setdefault("cluster", {})
    cluster.pop("deploy", None)
    cluster["max_workers"] = _workers(config).most
    values.get("run", {}).pop("address", None)
    return {name: section for name, section in values.items() if section != {}}


def _workers(config: SweepConfig) -> Workers:
    section, deploy = config.cluster, config.cluster.deploy
    asked = section.max_workers or DEFAULT_WORKERS
    most = asked if config.run.workers == "auto" else int(config.run.workers)
    most = min(most, section.max_workers or most, config.budget.trials)
    if deploy.min_workers > most:
        raise ConfigProblem(
            "cluster.deploy.min_workers <= the sweep's workers must hold, but got "
            f"({deploy.min_workers}, {most}); change it, cluster.max_workers or budget.trials."
        )
    gpus = 1.0 if config.run.device == "cuda" else 0.0
    return Workers(
        cpus=section.cpus or config.run.threads,
        gpus=gpus if section.gpus is None else section.gpus,
        memory_gib=section.memory_gib or DEFAULT_MEMORY_GIB,
        accelerator=section.accelerator,
        labels=dict(section.labels),
        fewest=deploy.min_workers,
        most=most,
        per_node=deploy.workers_per_node,
    )


def _refuse_passwords(values: Mapping[str, Any]) -> None:
    key = password_key(values)
    if key is not None:
        raise ConfigProblem(
            f"a manifest must hold no passwords, but {key} looks like one or holds one; take it "
            "out of the sweep file and name a Secret in cluster.deploy, or give it in the "
            "environment."
        )


def _check_directory(config: SweepConfig, target: str) -> None:
    directory, mount = config.cluster.directory, config.cluster.deploy.kubernetes.mount
    if directory is None:
        return
    if not _PLAIN_PATH.fullmatch(directory) or ".." in PurePosixPath(directory).parts:
        raise ConfigProblem(
            "cluster.directory must be an absolute path of letters, digits, dots, dashes and "
            f"underscores, but got {directory!r}."
        )
    if target == "kuberay" and not PurePosixPath(directory).is_relative_to(mount):
        raise ConfigProblem(
            "cluster.directory must lie on the claim, below cluster.deploy.kubernetes.mount, but "
            f"got ({directory}, {mount})."
        )


def _into_config_map(values: dict[str, Any], mount: str) -> dict[str, str]:
    """Move Python files into the manifest; refuse data that no pod would find."""
    files: dict[str, str] = {}

    def change(key: str, path: str) -> str:
        if is_address(path) or PurePosixPath(path).is_relative_to(mount):
            return path
        name = Path(path).name
        if key not in _CODE:
            raise ConfigProblem(
                f"{key} must lie on the disk that all pods mount, below {mount}, but is {path}; "
                f"copy it there and add --set {key}={mount}/{name}."
            )
        text = _read(Path(path), key)
        if files.setdefault(name, text) != text:
            raise ConfigProblem(f"Python files must differ in name, but two are called {name}.")
        return f"{_SPEC_FOLDER}/{name}"

    change_paths(values, change)
    return files


def _to_copy(values: dict[str, Any], shared: str | None) -> tuple[dict[str, str], list[str]]:
    """Return what to copy beside the sweep file, and the settings that name it there."""
    copied: dict[str, str] = {}

    def change(_key: str, path: str) -> str:
        if is_address(path) or (shared and PurePosixPath(path).is_relative_to(shared)):
            return path
        # A pattern is copied with its folder.
        local, rest = (Path(path).parent, Path(path).name) if "*" in path else (Path(path), "")
        name = copied.setdefault(str(local), f"files/{len(copied)}-{local.name}")
        return str(PurePosixPath(_HOME, name, rest))

    before = dict(_places(values))
    change_paths(values, change)
    settings = []
    for key, value in _places(values):
        if value != before[key]:
            text = yaml.safe_dump(value, default_flow_style=True, width=10_000)
            settings.append(f"{key}={text.strip().removesuffix('...').strip()}")
    return copied, settings


def _places(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the settings that may hold paths, copied."""
    if "metrics" in values:
        yield "metrics", copy.deepcopy(values["metrics"])
    for section in ("data", "space", "search"):
        for key, value in values.get(section, {}).items():
            yield f"{section}.{key}", copy.deepcopy(value)


def _words(config: SweepConfig, overrides: Sequence[str], settings: list[str]) -> tuple[str, ...]:
    """Return the words of `rnn-sweep run` that make the copied file the sweep that was rendered."""
    kept = [text for text in overrides if not text.startswith("cluster.deploy")]
    words = [word for text in (*kept, *settings) for word in ("--set", text)]
    most = f"cluster.max_workers={_workers(config).most}"
    return ("--name", config.name, *words, "--set", most)


def _read(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"{key} must name a readable Python file, but {error}.") from error
