"""Values as YAML that people read: long texts as blocks, keys in the order given, no aliases."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import yaml

_MARK_LETTERS = 6


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
    """Return a sweep's name as Kubernetes and clouds take names: a DNS label, from a letter on.

    Where that is another name, some digits of a hash keep it from being another sweep's.
    """
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "sweep"
    if not label[0].isalpha():
        label = f"sweep-{label}"
    if label == name and len(name) <= longest:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:_MARK_LETTERS]
    return f"{label[: longest - _MARK_LETTERS - 1].rstrip('-')}-{mark}"
