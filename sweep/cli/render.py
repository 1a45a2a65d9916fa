"""`rnn-sweep render`: a sweep file becomes what a cluster takes. Starts and asks nothing."""

from __future__ import annotations

import importlib
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

Target = Literal["kuberay", "slurm", "ray-up"]
_MODULES: dict[Target, str] = {"kuberay": "kuberay", "slurm": "slurm", "ray-up": "ray_up"}


def render(
    target: Annotated[Target, typer.Argument(help="kuberay, slurm or ray-up.")],
    spec: Annotated[str, typer.Argument(help="A sweep's YAML file, or a preset's name.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; default: standard output.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=VALUE", help="Set any key of the sweep file."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name, instead of the file's.")] = None,
) -> None:
    """Write the manifest that runs a sweep on a cluster of its own; `cluster.deploy` shapes it.

    \b
    Examples:
      rnn-sweep render kuberay my.yaml | kubectl apply -f -
      rnn-sweep render slurm my.yaml --output my.sbatch
      rnn-sweep render ray-up my.yaml --set cluster.deploy.cloud.provider=gcp
    """
    from sweep.config.sweep_config import load_config
    from sweep.errors import ConfigProblem
    from sweep.remote.deployment import deployment_of, notes

    config = load_config(spec, overrides or [], {"name": name})
    deployment = deployment_of(config, target, spec, overrides or [], _versions())
    module: Any = importlib.import_module(f"cluster.render.{_MODULES[target]}")
    try:
        text: str = module.render(deployment)
    except ValueError as error:
        raise ConfigProblem(f"{error}.") from error
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        typer.echo(f"{target} manifest of {config.name}: {output}")
    for note in notes(config, target):
        typer.echo(f"note: {note}", err=True)


def _versions() -> dict[str, str]:
    return {"ray": version("ray"), "rnn-sweep": version("rnn-sweep")}
