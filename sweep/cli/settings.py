"""`rnn-sweep settings`: what a sweep file may say, read off the declarations that check it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from sweep.config.reference import Key

_PACK = {
    True: "structural: trials that differ in it never share a pack",
    False: "free: trials of one pack may differ in it",
}


def settings(
    name: Annotated[
        str | None, typer.Argument(help="A key of the sweep file, or a section; default: all.")
    ] = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="text or json.")] = "text",
) -> None:
    """Show what a sweep file may say: each key's default, unit and meaning; or all about one key.

    \b
    Examples:
      rnn-sweep settings
      rnn-sweep settings learning_rate
      rnn-sweep settings search.pruning
      rnn-sweep settings run.workers --format json
    """
    import json
    from dataclasses import asdict

    from sweep.config.reference import all_keys, details, find_keys

    keys = all_keys() if name is None else find_keys(name)
    if format == "json":
        typer.echo(json.dumps([asdict(key) | details(key) for key in keys], indent=2))
    elif len(keys) == 1:
        _show_one(keys[0], details(keys[0]))
    else:
        _show_table(keys)


def _show_table(keys: list[Key]) -> None:
    from rich.table import Table

    from sweep.words.console import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("key", "default", "unit", "meaning"):
        table.add_column(title, no_wrap=title == "key")
    group = None
    for key in keys:
        if key.group != group:
            table.add_row(key.group, style="bold")
            group = key.group
        table.add_row(f"  {key.name}", _default(key), key.unit, key.sentence)
    console().print(table)


def _show_one(key: Key, more: dict[str, Any]) -> None:
    typer.echo(f"{key.name}: {key.sentence}")
    typer.echo(f"  values   {key.values}")
    typer.echo(f"  default  {_default(key)}")
    if key.unit:
        typer.echo(f"  unit     {key.unit}")
    if not more:
        if not key.needed and not key.in_list:
            typer.echo(f"  example  --set {key.name}={as_yaml(key.default)}")
        return
    typer.echo(f"  {_PACK[more['structural']]}")
    for law in more["laws"]:
        typer.echo(f"  law      {law}")
    typer.echo("  examples")
    for place, example in more["examples"].items():
        shown = "not possible" if example is None else as_yaml(example)
        typer.echo(f"    {place}: {shown}")


def _default(key: Key) -> str:
    return "needed" if key.needed else as_yaml(key.default)


def as_yaml(value: Any) -> str:
    """Return a value in one line of YAML."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")
