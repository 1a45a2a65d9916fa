"""Values as YAML that people read: long texts as blocks, keys in the order given, no aliases."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def documents(values: Iterable[Any], comment: str) -> str:
    """Return YAML documents under a comment."""
    parts = [
        yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
        for value in values
    ]
    return commented(comment) + "\n---\n".join(part.rstrip("\n") for part in parts) + "\n"


def commented(text: str) -> str:
    """Return text as YAML or shell comments, and an empty line."""
    lines = [f"# {line}".rstrip() for line in text.strip().splitlines()]
    return "\n".join(lines) + "\n\n"


def object_name(name: str, longest: int) -> str:
    """Return a sweep's name as Kubernetes and clouds take names: a DNS label, from a letter on."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "sweep"
    if not label[0].isalpha():
        label = f"sweep-{label}"
    return label[:longest].rstrip("-")
